import Glibc

/// Asks on the terminal before something that cannot be undone.
struct Confirmation {
    let terminal: Terminal

    /// Whether a person is at the keyboard.
    static var isPossible: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Returns when the answer is yes; ends the command otherwise.
    func demand(_ question: String) throws {
        guard try ask(question) else {
            terminal.insist("nothing was changed")
            throw Finished(status: .failed)
        }
    }

    /// Whether the answer is yes.
    func ask(_ question: String) throws -> Bool {
        terminal.ask("\(question) [y/N] ")
        let answer = try StandardInput.line(limit: 64)
        return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).lowercased())
    }
}
