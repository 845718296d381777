public import FoundationEssentials
public import KeyoverCore

/// One thing out of a vault on its way into a backup or out of one.
public enum BackupContent: Sendable {
    /// The vault's keys; the first thing in a backup.
    case keys(KeyFile)
    /// A record: its kind and name, its metadata as ``RecordCodec`` writes it, and its values by field.
    case record(kind: String, name: String, metadata: Data, values: [String: SecretValue])
    /// What the consumers of a client reported.
    case ledger(client: ClientName, entries: [LedgerEntry])
    /// The beginning of the audit log of a host, of which so many bytes follow.
    case auditLog(host: Name<HostRecord>, byteCount: Int)
    /// Some bytes of the audit log that began last.
    case auditBytes(SecretValue)
}

/// The names of a backup's members.
///
/// ```
/// README                    how to do without Keyover
/// keys                      the vault's keys, as in its key file
/// client/NAME/record.json   metadata; `tenant` and `host` likewise
/// client/NAME/value.FIELD   one secret value, exactly its bytes
/// client/NAME/ledger.json   what its consumers reported
/// audit/HOST/log.jsonl      the audit log of a host
/// manifest.json             state, time, digest and MAC; always the last
/// ```
enum BackupName: Equatable {
    case readme
    case keys
    case metadata(kind: String, name: String)
    case value(kind: String, name: String, field: String)
    case ledger(client: String)
    case audit(host: String)
    case manifest

    init?(_ path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // Every part obeys the rules of names, so none leads out of a folder.
        guard parts.allSatisfy({ Name<BackupContent>($0) != nil }) else { return nil }
        switch parts.count {
        case 1:
            guard let name = [Self.readme, .keys, .manifest].first(where: { $0.path == path }) else { return nil }
            self = name
        case 3 where parts[0] == "audit" && parts[2] == "log.jsonl":
            self = .audit(host: parts[1])
        case 3 where parts[0] == ClientRecord.kind && parts[2] == "ledger.json":
            self = .ledger(client: parts[1])
        case 3 where parts[2] == "record.json":
            self = .metadata(kind: parts[0], name: parts[1])
        case 3 where parts[2].hasPrefix("value."):
            self = .value(kind: parts[0], name: parts[1], field: String(parts[2].dropFirst(6)))
        default:
            return nil
        }
    }

    var path: String {
        switch self {
        case .readme: "README"
        case .keys: "keys"
        case .metadata(let kind, let name): "\(kind)/\(name)/record.json"
        case .value(let kind, let name, let field): "\(kind)/\(name)/value.\(field)"
        case .ledger(let client): "client/\(client)/ledger.json"
        case .audit(let host): "audit/\(host)/log.jsonl"
        case .manifest: "manifest.json"
        }
    }

    /// How large a member of this name may be, in bytes.
    var limit: Int {
        switch self {
        case .readme, .keys, .metadata, .value, .manifest: 1 << 20
        case .ledger: 64 << 20
        case .audit: 1 << 40
        }
    }

    static let readmeText = """
        This is a backup of a Keyover vault: a tar archive inside a file of the format age-encryption.org/v1.

        With Keyover:     keyover vault restore FILE --identity YOUR-IDENTITY
        Without Keyover:  age -d -i YOUR-IDENTITY FILE | tar -x

        client/NAME/record.json    what is known about a client; "active" says which slot its applications use
        client/NAME/value.primary  a secret value, exactly its bytes; value.secondary likewise
        tenant/NAME/value.admin    the credential that may administer the clients of a provider account
        audit/HOST/log.jsonl       who did what, when and why

        Whoever can read this can read every secret in it.

        """
}
