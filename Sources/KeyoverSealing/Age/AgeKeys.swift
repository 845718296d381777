public import KeyoverCore

/// Somebody a file can be encrypted to.
///
/// The file key (16 bytes) is wrapped once for each recipient. A recipient that must be alone in a file says so.
public protocol AgeRecipient: Sendable {
    /// The stanza that lets the recipient's identity find the file key.
    func wrap(_ fileKey: SecretValue) throws(AgeError) -> AgeStanza
}

/// Somebody who may be able to open a file.
public protocol AgeIdentity: Sendable {
    /// The file key, or `nil` when no stanza is meant for this identity; throws when one that is meant is malformed.
    func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> SecretValue?
}

/// One recipient's entry in the header.
public struct AgeStanza: Equatable, Sendable {
    /// The type of the recipient, such as `X25519`.
    public var type: String
    /// What follows the type on the line.
    public var arguments: [String]
    /// The wrapped file key, as a rule.
    public var body: [UInt8]

    /// A stanza of a type.
    public init(type: String, arguments: [String], body: [UInt8]) {
        self.type = type
        self.arguments = arguments
        self.body = body
    }

    /// Whether type and arguments are words that a header can hold.
    var isWritable: Bool {
        ([type] + arguments).allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (33...126).contains($0) } }
    }
}
