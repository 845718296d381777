/// One promise of a contract, as a plain value that any test framework, or none, can run.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// The promise, in words.
    public let name: String
    /// Throws when the promise is broken.
    public let run: @Sendable () async throws -> Void
    /// Why the promise does not concern this subject; ``run`` holds then that it really does not.
    public let notApplicable: String?
    /// The promise, in words.
    public var description: String { name }

    /// A promise and what tests it.
    public init(_ name: String, notApplicable: String? = nil, run: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.notApplicable = notApplicable
        self.run = run
    }
}

/// A promise was broken.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// Which, and how.
    public let description: String

    /// A broken promise.
    public init(_ description: String) {
        self.description = description
    }
}

/// Throws unless the condition holds.
public func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(ConformanceFailure) {
    if !condition { throw ConformanceFailure(message()) }
}
