public import KeyoverCore

/// An error that says which class of failure it is.
public protocol ClassifiedError: KeyoverError {
    /// The class.
    var failure: FailureClass { get }
}

extension ExchangeError: ClassifiedError {}
extension ProviderError: ClassifiedError {}

/// Bounded repetition of a call that changes nothing: exponential back-off with full jitter, within a budget of waiting.
///
/// Only passing failures are repeated (``FailureClass/isPassing``). `Retry-After` is a minimum: jitter comes on top, so
/// that all who were told the same time do not come back together. When the next wait does not fit into the budget, the
/// failure is thrown at once. Provider writes are never wrapped in this.
public struct Retry: Sendable {
    /// How often the operation is tried at most.
    public var attempts: Int
    /// The ceiling of the first wait; it doubles with each attempt.
    public var firstDelay: TimeSpan
    /// The ceiling of all waits that the server did not ask for.
    public var longestDelay: TimeSpan
    /// The sum of all waits at most.
    public var budget: TimeSpan

    /// A rule of repetition.
    public init(
        attempts: Int = 4, firstDelay: TimeSpan = .milliseconds(500), longestDelay: TimeSpan = .seconds(10),
        budget: TimeSpan = .seconds(60)
    ) {
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        self.budget = budget
    }

    /// The operation's result, or its last failure; a cancelled sleep ends in the last failure too.
    public func run<Result: Sendable, Failure: ClassifiedError>(
        sleep: (TimeSpan) async throws -> Void = { try await Task.sleep(for: $0.duration) },
        using generator: inout some RandomNumberGenerator,
        _ operation: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        var waited = TimeSpan.zero
        var attempt = 1
        while true {
            do throws(Failure) {
                return try await operation()
            } catch {
                guard error.failure.isPassing, attempt < attempts else { throw error }
                let delay = delay(after: attempt, error.failure, using: &generator)
                guard waited + delay <= budget, (try? await sleep(delay)) != nil else { throw error }
                waited = waited + delay
                attempt += 1
            }
        }
    }

    private func delay(
        after attempt: Int, _ failure: FailureClass, using generator: inout some RandomNumberGenerator
    ) -> TimeSpan {
        let ceiling = min(firstDelay * (1 << Int64(min(attempt - 1, 30))), longestDelay)
        let jitter = TimeSpan.milliseconds(Int64.random(in: 0...max(0, ceiling.milliseconds), using: &generator))
        guard case .rateLimited(let wanted?) = failure else { return jitter }
        return wanted + jitter
    }
}
