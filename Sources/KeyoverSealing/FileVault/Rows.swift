public import KeyoverCore

/// The one row of the table `vault`.
public struct VaultRow: Sendable {
    /// The vault's id (16 bytes).
    public let id: [UInt8]
    /// The key epoch that everything is sealed in.
    public let epoch: UInt64
    /// Rises with every change; never used twice.
    public let counter: UInt64
    /// The sealed roots of the trees.
    public let root: [UInt8]

    /// The row as stored.
    public init(id: [UInt8], epoch: UInt64, counter: UInt64, root: [UInt8]) {
        self.id = id
        self.epoch = epoch
        self.counter = counter
        self.root = root
    }
}

/// A row of the table `record`.
public struct RecordRow: Sendable {
    /// The keyed hash of kind and name (32 bytes).
    public let lookup: [UInt8]
    /// The kind of record.
    public let kind: String
    /// The record's id (16 bytes).
    public let id: [UInt8]
    /// The vault's counter at the record's last change.
    public let serial: UInt64
    /// What the tree vouches for (32 bytes).
    public let leaf: [UInt8]
    /// SHA-256 of the payload, so that the leaf can be checked without reading the payload.
    public let digest: [UInt8]
    /// The sealed metadata.
    public let metadata: [UInt8]
    /// The sealed values, one blob a field; `nil` when it was not read.
    public let payload: [UInt8]?

    /// The row as stored.
    public init(
        lookup: [UInt8], kind: String, id: [UInt8], serial: UInt64, leaf: [UInt8], digest: [UInt8],
        metadata: [UInt8], payload: [UInt8]?
    ) {
        self.lookup = lookup
        self.kind = kind
        self.id = id
        self.serial = serial
        self.leaf = leaf
        self.digest = digest
        self.metadata = metadata
        self.payload = payload
    }
}

/// A row of the table `ledger`.
public struct LedgerRow: Sendable {
    /// The look-up hash of the client (32 bytes).
    public let client: [UInt8]
    /// The keyed hash of the consumer's name (32 bytes).
    public let consumer: [UInt8]
    /// The vault's counter at the entry's last change.
    public let serial: UInt64
    /// What the tree vouches for (32 bytes).
    public let leaf: [UInt8]
    /// The sealed entry.
    public let entry: [UInt8]

    /// The row as stored.
    public init(client: [UInt8], consumer: [UInt8], serial: UInt64, leaf: [UInt8], entry: [UInt8]) {
        self.client = client
        self.consumer = consumer
        self.serial = serial
        self.leaf = leaf
        self.entry = entry
    }
}

/// The rows of one database within one transaction, fetched by whatever means the program has.
///
/// Nothing here is trusted: ``VaultReader`` checks what it gets.
public protocol VaultRows {
    /// The row of the table `vault`.
    func vault() throws(VaultError) -> VaultRow?
    /// The record under a look-up hash, with its payload.
    func record(_ lookup: [UInt8]) throws(VaultError) -> RecordRow?
    /// The stored form of a node.
    func node(at position: Int64) throws(VaultError) -> [UInt8]?
    /// The ledger entries of a client, by its look-up hash, in the order of the consumers' hashes.
    func ledger(of client: [UInt8]) throws(VaultError) -> [LedgerRow]
    /// The items of a tree whose first 32 bytes of key lie in a range, in order.
    func items(of kind: HashTree.Kind, from first: [UInt8], through last: [UInt8]) throws(VaultError) -> [TreeItem]
}
