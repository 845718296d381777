import FoundationEssentials
import KeyoverCore

/// Which record a piece of metadata is about, whatever else it says and in whatever format.
public struct RecordSubject: Codable, Sendable {
    private struct Named: Codable {
        let name: String
    }

    /// The kind of record.
    public let kind: String
    /// The record's name.
    public var name: String { record.name }
    private let record: Named

    init(_ metadata: Data) throws(VaultError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: metadata)
        } catch {
            throw VaultError(.corrupt, "a record is authentic but has no name", underlying: error)
        }
    }

    func encoded() throws(VaultError) -> Data {
        do {
            return try JSONEncoder().encode(self)
        } catch {
            throw VaultError(.corrupt, "the name of a record cannot be written as JSON", underlying: error)
        }
    }
}
