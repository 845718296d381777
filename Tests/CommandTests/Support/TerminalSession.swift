import Foundation

/// Runs a program on a terminal of its own and types answers to its questions, as a person would.
struct TerminalSession {
    let home: KeyoverHome

    /// Runs `keyover` and types one answer to each question, that is, whenever its output ends with `: ` or `] `.
    ///
    /// - Returns: The exit code and all that was shown, what was typed included where it was echoed.
    func run(_ arguments: [String], typing answers: [String]) throws -> (exitCode: Int32, shown: String) {
        let program = try KeyoverHome.built("keyover")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/script")
        process.arguments = ["-qec", ([program] + arguments).map { "'\($0)'" }.joined(separator: " "), "/dev/null"]
        process.environment = home.environment
        process.currentDirectoryURL = URL(filePath: home.path)
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // Whoever waits for an answer that does not come would wait for ever.
        let watchdog = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 120, execute: watchdog)
        defer { watchdog.cancel() }
        var shown = ""
        var rest = answers[...]
        while true {
            let bytes = output.fileHandleForReading.availableData
            if bytes.isEmpty { break }
            shown += String(decoding: bytes, as: UTF8.self)
            if shown.hasSuffix(": ") || shown.hasSuffix("] "), let answer = rest.popFirst() {
                try input.fileHandleForWriting.write(contentsOf: Data((answer + "\n").utf8))
            }
        }
        process.waitUntilExit()
        return (process.terminationStatus, shown)
    }
}
