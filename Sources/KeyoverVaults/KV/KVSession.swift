import KeyoverCore
import KeyoverSealing

/// Signs in, keeps the token alive, and signs in anew when it ends; one at a time, however many callers want one.
actor KVSession {
    /// What a caller goes in with.
    struct Token: Sendable {
        let value: SecretValue
        /// Which one it is, among those of this session.
        let serial: Int
        /// When it ends; `nil` when it does not, or will not say.
        var expiry: ContinuousClock.Instant?
        /// How long it lasts from one renewal to the next.
        var lease: Duration
        var isRenewable: Bool

        /// Whether less than half of its time is left.
        func isAging(at now: ContinuousClock.Instant) -> Bool {
            expiry.map { now.duration(to: $0) < lease / 2 } ?? false
        }
    }

    private let wire: KVWire
    private let reach: VaultReach
    private let clock = ContinuousClock()
    private var current: Token?
    private var serial = 0
    private var refreshing: Task<Result<Token, VaultError>, Never>?

    /// A session that has not begun.
    init(_ wire: KVWire, _ reach: VaultReach) {
        self.wire = wire
        self.reach = reach
    }

    /// A token that is good as far as is known.
    func token() async throws(VaultError) -> Token {
        if let current, !needsRefresh(current) { return current }
        // No await comes between looking for the task and keeping it, so that there is one for all callers.
        let task = refreshing ?? Task { await self.refresh() }
        refreshing = task
        return try await task.value.get()
    }

    /// What a token's refusal means: a fresh one to go in with again, or `nil` when the token is good and the policy
    /// says no.
    func replacement(for refused: Token) async throws(VaultError) -> Token? {
        if let current, current.serial != refused.serial { return current }
        guard try await isDead(refused) else { return nil }
        if current?.serial == refused.serial { current = nil }
        guard reach.user != nil else { throw refusedToken }
        return try await token()
    }

    private func needsRefresh(_ token: Token) -> Bool {
        guard token.isAging(at: clock.now) else { return false }
        return token.isRenewable || reach.user != nil
    }

    private func refresh() async -> Result<Token, VaultError> {
        defer { refreshing = nil }
        let deadline = KVDeadline(reach.patience)
        do throws(VaultError) {
            let token = try await refreshed(deadline)
            current = token
            return .success(token)
        } catch {
            // A token that still has time is used to its end while the server does not renew it.
            if let current, error.isRetryable, current.expiry.map({ $0 > clock.now }) ?? true {
                return .success(current)
            }
            return .failure(error)
        }
    }

    private func refreshed(_ deadline: KVDeadline) async throws(VaultError) -> Token {
        if let current, current.isRenewable, let renewed = try await renewed(current, deadline) { return renewed }
        if reach.user != nil { return try await signIn(deadline) }
        guard var current else { return try await adopt(deadline) }
        current.isRenewable = false
        return current
    }

    /// The token with more time; `nil` when it gets no more.
    private func renewed(_ token: Token, _ deadline: KVDeadline) async throws(VaultError) -> Token? {
        let answer = try await wire.send("POST", "auth/token/renew-self", Array("{}".utf8), token, deadline)
        guard answer.status == 200 else { return nil }
        guard let login = wire.content(KVAnswers.Nothing.self, answer)?.auth else {
            throw wire.failures.malformed("auth/token/renew-self")
        }
        var renewed = token
        renewed.isRenewable = login.isRenewable
        renewed.expiry = clock.now + .seconds(max(0, login.lease))
        return renewed.isAging(at: clock.now) ? nil : renewed
    }

    /// A token for the role id and secret id of AppRole.
    private func signIn(_ deadline: KVDeadline) async throws(VaultError) -> Token {
        guard let user = reach.user, let credential = reach.credential else { throw noCredential }
        let path = "auth/\(wire.location.authMount)/login"
        var body = KVBody()
        body.add("role_id", user)
        guard credential.isText else { throw refusedSecretID }
        body.add("secret_id", credential)
        let answer = try await wire.send("POST", path, body.bytes, nil, deadline)
        switch answer.status {
        case 200: break
        case 400, 401, 403: throw refusedSecretID
        default: throw wire.failures.error(answer, path)
        }
        guard let login = wire.content(KVAnswers.Nothing.self, answer)?.auth, let text = login.token,
            Self.isToken(Array(text.utf8))
        else { throw wire.failures.malformed(path) }
        let lease = Duration.seconds(max(0, login.lease))
        serial += 1
        return Token(
            value: SecretValue(copying: text.utf8), serial: serial,
            expiry: login.lease > 0 ? clock.now + lease : nil, lease: lease, isRenewable: login.isRenewable)
    }

    /// The token that configuration names, with what it says of itself.
    private func adopt(_ deadline: KVDeadline) async throws(VaultError) -> Token {
        guard let credential = reach.credential else { throw noCredential }
        guard credential.withUnsafeSecretBytes({ Self.isToken(Array($0)) }) else { throw refusedToken }
        serial += 1
        var token = Token(value: credential, serial: serial, expiry: nil, lease: .zero, isRenewable: false)
        let answer = try await wire.send("GET", "auth/token/lookup-self", nil, token, deadline)
        guard answer.status == 200 else {
            if answer.status == 403, KVFailures.isAboutPolicy(answer) { return token }
            throw answer.status == 403 ? refusedToken : wire.failures.error(answer, "auth/token/lookup-self")
        }
        guard let state = wire.content(KVAnswers.TokenState.self, answer)?.data else {
            throw wire.failures.malformed("auth/token/lookup-self")
        }
        guard state.left > 0 else { return token }
        token.lease = .seconds(max(state.left, state.whole ?? 0))
        token.expiry = clock.now + .seconds(state.left)
        token.isRenewable = state.isRenewable ?? false
        return token
    }

    private func isDead(_ token: Token) async throws(VaultError) -> Bool {
        let answer = try await wire.send("GET", "auth/token/lookup-self", nil, token, KVDeadline(reach.patience))
        guard answer.status == 200 || answer.status == 403 else {
            throw wire.failures.error(answer, "auth/token/lookup-self")
        }
        return answer.status == 403 && !KVFailures.isAboutPolicy(answer)
    }

    /// Whether bytes can stand in a header: visible characters, and not too many.
    private static func isToken(_ bytes: [UInt8]) -> Bool {
        (1...8192).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private var noCredential: VaultError {
        VaultError(
            .locked, "nothing is configured to sign in to \(wire.failures.server) with",
            remedy:
                "set vault_credential to a file with a token, or vault_user to a role id and vault_credential to a file "
                + "with its secret id")
    }

    private var refusedToken: VaultError {
        VaultError(
            .locked, "\(wire.failures.server) refuses the token: it is wrong, revoked or has expired",
            remedy:
                "write a new one into the file that vault_credential names: bao token create -policy=POLICY -field=token"
        )
    }

    private var refusedSecretID: VaultError {
        VaultError(
            .locked, "\(wire.failures.server) refuses the role id and secret id: one is wrong, used up or has expired",
            remedy: "write a new secret id into the file that vault_credential names: "
                + "bao write -f -field=secret_id auth/\(wire.location.authMount)/role/ROLE/secret-id")
    }
}
