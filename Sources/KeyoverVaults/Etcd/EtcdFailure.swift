import KeyoverCore

/// A call to one member of a cluster that brought no result.
struct EtcdFailure: Error {
    /// What may be done about it.
    enum Kind: Sendable {
        /// The member certainly did nothing, and another one may be asked.
        case notSent
        /// The member certainly did nothing, but stands, and may do it a little later.
        case notYet
        /// Nobody knows whether the member did something; what only reads may be asked elsewhere.
        case lost
        /// The member refused the token; it did nothing.
        case token
        /// What was asked for is gone from the history.
        case compacted
        /// The answer is longer than the caller takes.
        case tooLong
        /// The cluster said no.
        case refused
    }

    let kind: Kind
    let error: VaultError

    init(_ kind: Kind, _ error: VaultError) {
        self.kind = kind
        self.error = error
    }

    /// Whether another member may be asked, the same one again included.
    func allowsAnother(afterWriting isWrite: Bool) -> Bool {
        switch kind {
        case .notSent, .notYet: true
        case .lost: !isWrite
        case .token, .compacted, .tooLong, .refused: false
        }
    }

    /// What the connection did.
    init(_ failure: StoreFailure) {
        error = failure.error
        kind =
            switch failure.cause {
            case .tooLarge: .tooLong
            case _ where !failure.mayHaveArrived: .notSent
            default: .lost
            }
    }

    /// What a member answered that did not do what it was asked for.
    init(_ answer: StoreAnswer, from server: ServerURL, user: String?) {
        guard let said = StoreJSON.object(Refusal.self, from: answer.body) else {
            self.init(.lost, answer.status >= 500 ? Self.unavailable(server) : Self.notEtcd(server))
            return
        }
        self.init(said, server, user)
    }

    /// etcd's own words are compared only: what is shown to people are ours.
    private init(_ said: Refusal, _ server: ServerURL, _ user: String?) {
        let has = { (words: String) in said.message.contains(words) }
        switch said.code {
        case _ where has("invalid auth token") || has("revision of auth store is old"):
            self.init(.token, Self.signInRefused(server, user))
        case _ where has("authentication failed") || has("user name is empty") || has("user name not found"):
            self.init(.refused, Self.signInRefused(server, user))
        case _ where has("authentication is not enabled"):
            self.init(
                .refused,
                VaultError(
                    .invalid, "etcd at \(server.authority) lets everybody in, and vault_user is set",
                    remedy: "run etcdctl auth enable, or unset vault_user"))
        case 7:
            self.init(
                .refused,
                VaultError(
                    .locked, "etcd does not let user \(user ?? "") read and write under the vault's prefix",
                    remedy: "run etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX/"))
        case _ where has("database space exceeded"):
            self.init(
                .refused,
                VaultError(
                    .full, "etcd has no space left; nothing was changed",
                    remedy: "compact and defragment it, then run etcdctl alarm disarm"))
        case _ where has("request is too large") || has("received message larger"):
            self.init(.refused, Self.tooLarge)
        case _ where has("has been compacted"):
            self.init(.compacted, Self.unavailable(server))
        case _ where has("corrupt"):
            self.init(
                .refused,
                VaultError(
                    .unavailable, "etcd says that its data is corrupt", remedy: "look at etcdctl alarm list"))
        case 1, 2, 4, 8, 11, 14:
            self.init(.lost, Self.unavailable(server))
        default:
            self.init(
                .refused,
                VaultError(
                    .unavailable, "etcd at \(server.authority) refused the request (code \(said.code))",
                    remedy: "look at the log of etcd"))
        }
    }

    private static func signInRefused(_ server: ServerURL, _ user: String?) -> VaultError {
        guard let user else {
            return VaultError(
                .locked, "etcd at \(server.authority) wants a user who signs in",
                remedy: "set vault_user and vault_credential")
        }
        return VaultError(
            .locked, "etcd at \(server.authority) does not accept the password of user \(user)",
            remedy: "correct vault_user and vault_credential, or run etcdctl user passwd \(user)")
    }

    private static func unavailable(_ server: ServerURL) -> VaultError {
        VaultError(
            .unavailable, "etcd at \(server.authority) has no quorum at the moment",
            remedy: "run the command again; look at etcdctl endpoint status when it stays so", isRetryable: true)
    }

    /// What is told when nobody has answered.
    static let timeIsUp = VaultError(
        .unavailable, "etcd has not answered in time", remedy: "run the command again", isRetryable: true)

    /// What is told of a member whose answers make no sense.
    static func notEtcd(_ server: ServerURL) -> VaultError {
        VaultError(
            .notTrusted, "\(server.origin) does not answer as etcd does",
            remedy: "check the vault's URL")
    }

    private static let tooLarge = VaultError(
        .tooLarge, "the entry is larger than etcd takes (1.5 MB, unless its --max-request-bytes says more)",
        remedy: "make the record smaller, or raise --max-request-bytes on all members")

    private struct Refusal: Decodable {
        let message: String
        let code: Int
    }
}
