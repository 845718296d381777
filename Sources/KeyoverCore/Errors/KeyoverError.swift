/// What every error of Keyover can say: which kind it is, what happened, and what to do next.
///
/// Callers match on `code`; people read `message` and `remedy`. Neither ever holds a secret value.
public protocol KeyoverError: Error, Sendable, CustomStringConvertible {
    /// A stable word for programs, such as `conflict`.
    var reason: String { get }
    /// What happened, naming the object.
    var message: String { get }
    /// What to do, in the imperative, naming the next command; `nil` when nothing can be advised.
    var remedy: String? { get }
    /// Whether the same call may succeed later without anybody changing anything.
    var isRetryable: Bool { get }
    /// The error below this one, when there was one.
    var underlying: (any Error)? { get }
}

extension KeyoverError {
    /// The message alone.
    public var description: String { message }
}
