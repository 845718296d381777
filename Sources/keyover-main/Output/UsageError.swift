import KeyoverCore

/// A command line that can be parsed and still makes no sense, or lacks a word that has to be said.
struct UsageError: KeyoverError {
    let message: String
    let remedy: String?

    init(_ message: String, remedy: String?) {
        self.message = message
        self.remedy = remedy
    }

    var reason: String { "usage" }
    var isRetryable: Bool { false }
    var underlying: (any Error)? { nil }
}
