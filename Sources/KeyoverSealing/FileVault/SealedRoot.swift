import FoundationEssentials
import KeyoverCore

/// How far a vault has come: a later state has a higher epoch or, in the same epoch, a higher counter.
public struct VaultMark: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The key epoch.
    public let epoch: UInt64
    /// The number of changes.
    public let counter: UInt64

    /// A state of a vault.
    public init(epoch: UInt64, counter: UInt64) {
        self.epoch = epoch
        self.counter = counter
    }

    /// Epoch and counter, such as `1.42`.
    public var description: String { "\(epoch).\(counter)" }

    /// Orders states in time.
    public static func < (left: Self, right: Self) -> Bool { (left.epoch, left.counter) < (right.epoch, right.counter) }
}

/// The roots of a vault's trees, sealed together with its id, epoch and counter.
public struct SealedRoot: Sendable {
    /// Where the vault is.
    public let mark: VaultMark
    /// How many records there are.
    public internal(set) var records: UInt64
    /// How many ledger entries there are.
    public internal(set) var ledgerEntries: UInt64
    var hashes: [HashTree.Kind: [UInt8]]

    /// The state of a vault at a mark with nothing in it.
    static func empty(_ keyring: Keyring, at mark: VaultMark) -> SealedRoot {
        var hashes: [HashTree.Kind: [UInt8]] = [:]
        for kind in HashTree.Kind.allCases {
            hashes[kind] = HashTree(kind, key: keyring.treeKey).hash(root: TreeNode())
        }
        return SealedRoot(mark: mark, records: 0, ledgerEntries: 0, hashes: hashes)
    }

    /// The state after one more change, its roots as yet unchanged.
    func advanced() -> SealedRoot {
        SealedRoot(
            mark: VaultMark(epoch: mark.epoch, counter: mark.counter + 1), records: records,
            ledgerEntries: ledgerEntries, hashes: hashes)
    }

    /// The row that stores it.
    func sealed(_ keyring: Keyring) throws(VaultError) -> VaultRow {
        var transcript = Transcript()
        for kind in HashTree.Kind.allCases { transcript.append(hashes[kind] ?? []) }
        transcript.append(records)
        transcript.append(ledgerEntries)
        return VaultRow(
            id: keyring.vaultID.bytes, epoch: mark.epoch, counter: mark.counter,
            root: try Seal.seal(transcript.bytes, with: keyring.metadataKey, for: Self.context(keyring, mark)))
    }

    /// Opens the row, refusing another vault, another epoch, and a counter that is not the sealed one.
    init(_ row: VaultRow, _ keyring: Keyring) throws(VaultError) {
        guard row.id == keyring.vaultID.bytes else {
            throw VaultError(
                .notTrusted, "the database and the key file belong to different vaults",
                remedy: VaultError.restoreBackup)
        }
        guard row.epoch == keyring.epoch else {
            throw VaultError(
                .notTrusted, "the vault is in key epoch \(row.epoch), these keys are of epoch \(keyring.epoch)",
                remedy: "if the vault was rekeyed meanwhile, start the command again")
        }
        mark = VaultMark(epoch: row.epoch, counter: row.counter)
        let plaintext = try Seal.open(row.root, with: keyring.metadataKey, for: Self.context(keyring, mark))
        guard let fields = Transcript.fields(of: Array(plaintext)), fields.count == 4,
            let records = UInt64(bigEndianBytes: fields[2]), let entries = UInt64(bigEndianBytes: fields[3])
        else { throw VaultError(.corrupt, "the vault's root is authentic but unreadable") }
        (self.records, ledgerEntries) = (records, entries)
        hashes = [.records: Array(fields[0]), .ledger: Array(fields[1])]
    }

    private init(mark: VaultMark, records: UInt64, ledgerEntries: UInt64, hashes: [HashTree.Kind: [UInt8]]) {
        self.mark = mark
        self.records = records
        self.ledgerEntries = ledgerEntries
        self.hashes = hashes
    }

    private static func context(_ keyring: Keyring, _ mark: VaultMark) -> SealContext {
        SealContext(
            vault: keyring.vaultID, epoch: mark.epoch, record: keyring.vaultID, field: "vault/root",
            serial: mark.counter)
    }
}
