/// The mark of a record that has moved to another vault: what it says here is only what was true when it moved.
///
/// While it stands, nothing of the record is given out or changed here. It comes with one compare-and-swap on exactly the
/// revision that was copied, so that the truth about the record lies at one place at every instant.
public struct Relocation: Codable, Hashable, Sendable {
    /// The URL of the vault that holds the record now.
    public var to: String
    /// The commitment to that vault's keys, in hexadecimal: what configuration has to pin.
    public var keyCommitment: String
    /// When it moved.
    public var at: Timestamp

    /// The mark of a move.
    public init(to: String, keyCommitment: String, at: Timestamp) {
        self.to = to
        self.keyCommitment = keyCommitment
        self.at = at
    }
}

/// A record that can move to another vault.
public protocol MovableRecord: VaultRecord {
    /// Set once the record lives in another vault.
    var moved: Relocation? { get set }
}

extension ClientRecord: MovableRecord {}
extension TenantRecord: MovableRecord {}

extension MovableRecord {
    /// Throws when the record lives in another vault by now.
    public func requireHere() throws(RotationError) {
        guard let moved else { return }
        throw RotationError(
            .moved, "\(Self.kind) \(name) has moved to another vault: \(moved.to)",
            remedy: "run keyover vault join --vault '\(moved.to)' --key-commitment \(moved.keyCommitment)")
    }
}
