/// A thing that a vault keeps whole under a name: a client, a tenant, a host.
///
/// The metadata of a record is what `Codable` writes. Secret values never go through `Codable`; they are taken out and
/// put back through ``secrets``, so that a vault can seal them under a separate key and a reader without that key gets
/// the record with no values in it.
public protocol VaultRecord: Codable, Equatable, Sendable {
    /// The word that keeps records of different kinds apart in one vault; never changed once released.
    static var kind: String { get }
    /// The version of the metadata's format that this code writes.
    static var formatVersion: Int { get }
    /// The record's id: fresh when it is created, the same for its whole life.
    var id: UUIDv7 { get }
    /// The name it is found under.
    var name: Name<Self> { get }
    /// The values in it by stable field name; setting puts values back after decoding, unknown fields are ignored.
    var secrets: [String: SecretValue] { get set }
}
