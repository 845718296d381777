/// One secret of a client, from its mint to the tombstone that keeps its counters.
struct SandboxSecret: Sendable {
    /// What a replica can believe about a secret.
    enum Presence: Sendable {
        case absent
        case active
        case inactive
    }

    /// A committed change, which replicas learn of one by one.
    struct Change: Sendable {
        let number: UInt64
        let at: SandboxInstant
        let presence: Presence
    }

    let id: String
    let displayName: String?
    let hint: String
    let createdAt: SandboxInstant
    /// Decides, with the profile's seed, how late each replica is.
    let salt: UInt64

    private(set) var value: [UInt8]
    private let digest: ValueDigest
    private var changes: [Change]

    /// The end that was asked for when the secret was added.
    let requestedExpiry: SandboxInstant?
    /// The end that the addition of another secret set, and which one that was.
    var fuse: (end: SandboxInstant, litBy: String)?

    var accepted = 0
    var refused = 0
    var lastAcceptedAt: SandboxInstant?
    var lastRefusedAt: SandboxInstant?

    /// A new secret; a settled one counts as known to all replicas from the start.
    init(draft: SecretDraft, value: String, salt: UInt64, at now: SandboxInstant, settled: Bool) {
        id = "sec_" + RandomText.hexadecimal(count: 16)
        displayName = draft.displayName
        hint = String(value.prefix(3))
        createdAt = now
        requestedExpiry = draft.expiresAt
        self.salt = salt
        self.value = Array(value.utf8)
        digest = ValueDigest(value.utf8)
        changes = [Change(number: 0, at: settled ? SandboxInstant(milliseconds: .min / 2) : now, presence: .active)]
    }

    /// What has been committed.
    var presence: Presence { changes.last?.presence ?? .absent }

    var isDeleted: Bool { presence == .absent }

    var expiresAt: SandboxInstant? {
        [requestedExpiry, fuse?.end].compactMap { $0 }.min()
    }

    func isExpired(at now: SandboxInstant) -> Bool {
        expiresAt.map { $0 <= now } ?? false
    }

    /// Whether exchanges with the secret are to succeed once all replicas agree.
    func works(at now: SandboxInstant) -> Bool {
        presence == .active && !isExpired(at: now)
    }

    func matches(_ candidate: [UInt8]) -> Bool {
        value.isEmpty ? ValueDigest(candidate) == digest : constantTimeEqual(value, candidate)
    }

    mutating func commit(_ presence: Presence, at now: SandboxInstant) {
        changes.append(Change(number: (changes.last?.number ?? 0) + 1, at: now, presence: presence))
        // Older ones have long spread, unless somebody toggles faster than the replicas can follow.
        changes = changes.suffix(16)
    }

    /// Drops the value of a deleted secret once no replica can honour it; the digest goes on recognising it.
    mutating func forgetValue(after profile: SandboxProfile, at now: SandboxInstant) {
        guard !value.isEmpty, isDeleted, let last = changes.last else { return }
        if now >= last.at.advanced(byMilliseconds: Int64(profile.propagationMilliseconds)) {
            value = []
        }
    }

    /// What the replica believes at that moment.
    func presence(atReplica replica: Int, of profile: SandboxProfile, at now: SandboxInstant) -> Presence {
        for change in changes.reversed() where isKnown(change, atReplica: replica, of: profile, at: now) {
            return change.presence
        }
        return .absent
    }

    private func isKnown(
        _ change: Change, atReplica replica: Int, of profile: SandboxProfile, at now: SandboxInstant
    ) -> Bool {
        let age = now.milliseconds - change.at.milliseconds
        let bound = Int64(profile.propagationMilliseconds)
        guard age < bound else { return true }
        let words = (UInt64(bitPattern: Int64(profile.seed)), salt, change.number, UInt64(replica))
        // The last replica is as late as the bound allows, so that nobody passes by luck.
        let isLast = replica == profile.replicas - 1
        let delay = isLast ? bound : Int64(SplitMix64.mix(words.0, words.1, words.2, words.3) % UInt64(bound))
        // While opinions flap, even the last replica may have heard early; it cannot be counted on.
        guard age >= delay || (isLast && profile.flapping) else { return false }
        guard profile.flapping else { return true }
        let turn = UInt64(max(0, age) / Int64(profile.flapMilliseconds))
        return SplitMix64.mix(words.0, words.1, words.2, words.3, turn).isMultiple(of: 2)
    }
}
