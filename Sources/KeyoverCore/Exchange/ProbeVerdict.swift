/// What an exchange with a secret says about the secret, once controls have been heard.
///
/// Providers answer a wrong secret with 400, 401, 403 without a body or 404, and some answer a *good* secret so when a
/// scope is missing. So no status means "dead" by itself. A secret counts as refused when it is answered exactly as a
/// random secret of the same shape is answered, while a secret known to be good is accepted.
public enum ProbeVerdict: Equatable, Sendable {
    /// The secret yielded a token.
    case accepted
    /// The secret was answered as a random one is, and the known-good one works.
    case refused
    /// Nothing can be concluded now, and why.
    case inconclusive(String)

    /// One exchange, reduced to what a verdict needs.
    public enum Outcome: Equatable, Sendable {
        /// A token was granted.
        case granted
        /// The server said no, in this shape.
        case answered(AnswerShape, FailureClass)
        /// There was no answer, or one that says nothing about the secret.
        case noAnswer(String)

        /// The outcome that an error stands for.
        public init(_ error: ExchangeError) {
            if let answer = error.answer, !error.failure.isPassing {
                self = .answered(answer, error.failure)
            } else {
                self = .noAnswer(error.message)
            }
        }
    }

    /// The verdict on a probe, from a control with a random secret and one with a known-good secret.
    ///
    /// Without controls (`nil`, where wrong secrets may lock the client out) a refusal is at best inconclusive.
    public init(probe: Outcome, random: Outcome?, good: Outcome?) {
        switch probe {
        case .granted:
            self = .accepted
        case .noAnswer(let why):
            self = .inconclusive(why)
        case .answered(let shape, _):
            guard let random, let good else {
                self = .inconclusive("answered \(shape.status), and controls are not allowed here")
                return
            }
            guard good == .granted else {
                self = .inconclusive("the known-good secret was not accepted either")
                return
            }
            guard case .answered(let randomShape, _) = random, randomShape == shape else {
                self = .inconclusive("answered \(shape.status), unlike a random secret")
                return
            }
            self = .refused
        }
    }
}
