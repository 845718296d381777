public import KeyoverCore
public import KeyoverSealing

/// A vault that can say how it is and check itself; for `vault status` and `vault verify`.
public protocol InspectableVault: Vault {
    /// What the vault is and how much is in it.
    func status() async throws(VaultError) -> VaultStatus
    /// Checks all that can be checked with the keys at hand; what is wrong is listed, not thrown.
    func verify() async throws(VaultError) -> VaultVerification
}

/// What a vault is and how much is in it.
public struct VaultStatus: Sendable {
    /// The vault's id.
    public let id: UUIDv7
    /// Where it is.
    public let location: VaultURL
    /// The commitment to its keys, which configuration pins, in hexadecimal.
    public let keyCommitment: String
    /// The present state.
    public let mark: VaultMark
    /// The newest state this host had seen before; `nil` when it keeps none.
    public let highWaterMark: VaultMark?
    /// Who can open it.
    public let audience: VaultAudience
    /// Whether these keys open values.
    public let opensValues: Bool
    /// How many records of each kind there are.
    public let records: [String: Int]
    /// How many ledger entries there are.
    public let ledgerEntries: Int
    /// The size of the store in bytes.
    public let byteCount: Int
}

/// What a check of a whole vault found.
public struct VaultVerification: Sendable {
    /// One thing that is wrong.
    public struct Finding: Equatable, Sendable {
        /// What is wrong.
        public let message: String
        /// What to do.
        public let remedy: String

        /// A thing that is wrong.
        public init(_ message: String, remedy: String) {
            self.message = message
            self.remedy = remedy
        }
    }

    /// How many records were checked.
    public var records = 0
    /// How many ledger entries were checked.
    public var ledgerEntries = 0
    /// Whether values were opened as well.
    public var checkedValues = false
    /// What is wrong; nothing when empty.
    public var findings: [Finding] = []

    /// Whether nothing is wrong.
    public var isSound: Bool { findings.isEmpty }

    /// A check that found nothing yet.
    public init() {}
}
