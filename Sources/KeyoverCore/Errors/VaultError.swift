/// A vault could not do what it was asked.
public struct VaultError: KeyoverError {
    /// The kind of failure; further kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable word.
        public let description: String

        /// The record changed since it was read; read again and decide anew.
        public static let conflict = Code(description: "conflict")
        /// The vault has got other keys since it was opened; open it again.
        public static let rekeyed = Code(description: "rekeyed")
        /// No identity opens the vault, or the keyring is locked.
        public static let locked = Code(description: "locked")
        /// The vault is not the pinned one, was tampered with, or is older than one seen before.
        public static let notTrusted = Code(description: "notTrusted")
        /// The backend does not answer, or is busy beyond the bound.
        public static let unavailable = Code(description: "unavailable")
        /// There is no vault at this place.
        public static let missing = Code(description: "missing")
        /// There is a vault at this place already; nothing is overwritten.
        public static let exists = Code(description: "exists")
        /// A file or folder of the vault can be read or changed by others.
        public static let looseFilePermissions = Code(description: "looseFilePermissions")
        /// The disk or the backend is full; the old state is intact.
        public static let full = Code(description: "full")
        /// A record cannot be read though it is authentic.
        public static let corrupt = Code(description: "corrupt")
        /// The record was written by a newer Keyover and is not changed by this one.
        public static let newerFormat = Code(description: "newerFormat")
        /// A record or value is larger than the backend takes.
        public static let tooLarge = Code(description: "tooLarge")
        /// The identity may read metadata only.
        public static let noValueAccess = Code(description: "noValueAccess")
        /// The work was asked to stop, where it can be taken up again.
        public static let interrupted = Code(description: "interrupted")
        /// The request makes no sense for this vault.
        public static let invalid = Code(description: "invalid")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, naming the object.
    public let message: String
    /// What to do next.
    public let remedy: String?
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// The error below this one.
    public let underlying: (any Error)?

    /// An error of a kind, with what to tell people.
    public init(
        _ code: Code, _ message: String, remedy: String? = nil, isRetryable: Bool = false,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.isRetryable = isRetryable
        self.underlying = underlying
    }

    /// The stable word of the code.
    public var reason: String { code.description }
}
