import KeyoverCore
import KeyoverEngine
import Synchronization

/// Which clients a runner is at work on, as other runners would judge it.
final class HeldClaims: Sendable {
    private static let unknownDelay = TimeSpan.minutes(1)

    private let presence: LockFilePresence
    private let clock: SystemClock
    private let delays: [TenantName: TimeSpan]
    private let firstSeen = Mutex<[Claim: ClockReading]>([:])

    init(_ workspace: Workspace) async throws {
        presence = workspace.presence
        clock = workspace.clock
        delays = try await workspace.vault.summaries(TenantRecord.self).reduce(into: [:]) { delays, tenant in
            delays[tenant.record.name] = (try? workspace.provider(of: tenant.record))?.capabilities.commitDelay
        }
    }

    /// Whether somebody may still send something for the client's rotation.
    func holds(_ record: ClientRecord) -> Bool {
        guard let claim = record.rotation?.claim, !presence.isProvenDead(claim) else { return false }
        let now = clock.now()
        let since = firstSeen.withLock { seen in
            if claim.at.bootID == now.bootID { return claim.at }
            let first = seen[claim] ?? now
            seen[claim] = first
            return first
        }
        let delay = delays[record.registration.tenant] ?? Self.unknownDelay
        return since.remaining(of: claim.term + delay, at: now) > .zero
    }
}
