import KeyoverCore
import Synchronization

/// The token that a user has from signing in, shared by all calls of a store.
final class EtcdSession: Sendable {
    /// Who signs in; `nil` for a cluster that asks nobody.
    let user: String?
    private let credential: SecretValue?
    private let present = Mutex<String?>(nil)

    init(_ reach: VaultReach) throws(VaultError) {
        user = reach.user
        credential = reach.credential
        guard (user == nil) == (credential == nil) else {
            throw VaultError(
                .locked, "etcd signs in users with a password, and only one of both is configured",
                remedy: "set both vault_user and vault_credential, or none")
        }
    }

    /// The token that was kept last.
    var token: String? { present.withLock { $0 } }

    /// Keeps a token for all that come after; false for one that cannot stand in a header.
    func keep(_ token: String) -> Bool {
        guard (1...4096).contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return false
        }
        present.withLock { $0 = token }
        return true
    }

    /// Forgets a token that was refused, unless there is another one by now.
    func drop(_ token: String?) {
        present.withLock { if $0 == token { $0 = nil } }
    }

    /// The request that signs in; `nil` when nobody has to.
    var request: StoreRequest? {
        guard let user, let credential else { return nil }
        let password = credential.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
        guard let body = try? StoreJSON.encode(EtcdSignIn(name: user, password: password)) else { return nil }
        return StoreRequest(method: "POST", target: "/v3/auth/authenticate", body: body, answerLimit: 64 << 10)
    }
}
