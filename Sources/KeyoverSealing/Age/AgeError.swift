/// Why an age file could not be read or written.
public struct AgeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of failure, in the words of the age test vectors.
    public enum Code: String, Sendable {
        /// The armor is not exactly as it must be.
        case armor
        /// The header breaks a rule of the format.
        case header
        /// No identity fits.
        case noMatch
        /// The header was changed by somebody without the file key.
        case hmac
        /// The payload was changed, cut short or prolonged.
        case payload
        /// A key of a type that this implementation does not have.
        case unsupported
        /// A recipient or identity is not well-formed.
        case key
    }

    /// The kind of failure.
    public let code: Code
    /// What exactly.
    public let description: String

    /// A failure of a kind; for identities and recipients of other types.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
