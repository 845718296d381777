import KeyoverCore

/// What is wrong with a file, all of it at once; never with a value out of the file in it.
struct FileMistakes {
    /// More than these are counted, not listed.
    private static let limit = 100

    private var list: [(place: String, message: String)] = []

    /// Whether there are none.
    var isEmpty: Bool { list.isEmpty }

    mutating func add(_ place: some CustomStringConvertible, _ message: String) {
        list.append((place.description, message))
    }

    /// Lists them as compilers do and ends the command, when there are some.
    func demandNone(in file: String, _ consequence: String, on terminal: Terminal) throws {
        guard !list.isEmpty else { return }
        let name = file == "-" ? "standard input" : file.printable
        for mistake in list.prefix(Self.limit) {
            terminal.insist("\(name):\(mistake.place): \(mistake.message.printable)")
        }
        if list.count > Self.limit { terminal.insist("and \(list.count - Self.limit) more") }
        let count = list.count == 1 ? "a mistake" : "\(list.count) mistakes"
        throw ConfigurationError(
            .invalidValue, "\(name) has \(count); \(consequence)", remedy: "correct it and run the command again")
    }
}
