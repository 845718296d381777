public import KeyoverCore

/// A way to announce a new generation to those who use a secret.
///
/// `deliver` is bounded by 30 seconds, is called again after a failure, and may be called twice for one generation. It is
/// never handed a secret: who needs the value asks for it with a right of his own.
public protocol Delivery: Sendable {
    /// The registered kind, such as `command`.
    static var kind: String { get }
    /// Announces the generation; throws what to tell people.
    func deliver(_ announcement: Announcement, to target: DeliveryTarget) async throws(DeliveryError)
}

/// That a client's active secret has changed.
public struct Announcement: Sendable {
    /// The client.
    public var client: ClientName
    /// The generation now in force.
    public var generation: UInt64
    /// The rotation that moved traffic.
    public var rotation: UUIDv7

    /// That a client's active secret has changed.
    public init(client: ClientName, generation: UInt64, rotation: UUIDv7) {
        self.client = client
        self.generation = generation
        self.rotation = rotation
    }
}

/// A delivery did not succeed.
public struct DeliveryError: Error, Sendable, CustomStringConvertible {
    /// What happened, for people.
    public let description: String

    /// A failed delivery.
    public init(_ description: String) {
        self.description = description
    }
}
