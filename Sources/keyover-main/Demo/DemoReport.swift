import KeyoverCore
import KeyoverEngine
import KeyoverOAuth
import KeyoverSandbox

/// What the demonstration showed: the last line of `demo --format json`.
struct DemoReport: Encodable {
    /// When a stage was entered, in seconds since the start.
    struct StageTime: Encodable {
        let stage: Stage
        let seconds: Double
    }

    /// The exchanges that the server accepted with one secret.
    struct Exchanges: Encodable {
        let secretID: String
        let role: String
        let beforeCutOver: Int
        let afterCutOver: Int
        let refused: Int
        let status: String
    }

    let requests: Int
    let failures: Int
    let oldSecretRefused: Bool
    let auditVerified: Bool
    let auditLines: UInt64
    let outcome: String
    let profile: String
    let backend: String
    let seconds: Double
    let throttled: Int
    let stages: [StageTime]
    let exchanges: [Exchanges]
    let failureMessages: [String]

    init(
        world: DemoWorld, result: RotationEngine.Result, timeline: DemoTimeline, counters: DemoCounters
    ) async throws {
        outcome =
            switch result {
            case .finished(let outcome, _): outcome.rawValue
            case .waiting: "waiting"
            }
        requests = counters.requests
        failures = counters.failures
        failureMessages = counters.messages
        throttled = counters.throttles
        profile = world.server.profile.name
        backend = world.workspace.vault.backend
        oldSecretRefused = try await Self.isOldSecretRefused(world, result.record)
        let verification = try await Self.verifyAudit(world.workspace)
        auditVerified = verification.isWhole
        auditLines = verification.count
        stages = timeline.entries.map { StageTime(stage: $0.stage, seconds: $0.at.seconds) }
        seconds = timeline.elapsed.seconds
        exchanges = Self.exchanges(world.statistics(), before: timeline.atCutOver, result.record)
    }

    /// Whether everything was as promised.
    var isGood: Bool {
        failures == 0 && oldSecretRefused && auditVerified && outcome == RotationMachine.Outcome.completed.rawValue
    }

    /// The old secret is tried once more on a fresh connection, between a random one and the new one.
    private static func isOldSecretRefused(_ world: DemoWorld, _ record: ClientRecord) async throws -> Bool {
        let exchanger = try world.workspace.exchanger(for: world.tenant)
        guard let url = record.registration.tokenURL, let new = record.activeSlot.value else { return false }
        func outcome(_ secret: SecretValue) async -> ProbeVerdict.Outcome {
            var generator = SystemRandomNumberGenerator()
            let request = ExchangeRequest(
                tokenURL: url, clientID: record.activeSlot.clientID, secret: secret,
                authentication: record.registration.authentication, scopes: record.registration.scopes)
            do throws(ExchangeError) {
                _ = try await Retry(attempts: 20).run(using: &generator) { () throws(ExchangeError) in
                    try await exchanger.exchange(request)
                }
                return .granted
            } catch {
                return ProbeVerdict.Outcome(error)
            }
        }
        let random = SecretValue(copying: Array(Hex.encode(SystemRandomness().bytes(24)).utf8))
        return ProbeVerdict(
            probe: await outcome(world.oldSecret), random: await outcome(random), good: await outcome(new)) == .refused
    }

    private static func verifyAudit(_ workspace: Workspace) async throws -> AuditVerification {
        try await workspace.noteAuditHead()
        let host = workspace.audit.host
        let verifier = AuditVerifier(
            stateDirectory: workspace.stateDirectory, host: host, key: try await workspace.vault.derivedKey(for: .audit)
        )
        return try await verifier.verify(mark: try await workspace.vault.read(host)?.record)
    }

    private static func exchanges(
        _ after: SandboxStatistics?, before: SandboxStatistics?, _ record: ClientRecord
    ) -> [Exchanges] {
        (after?.secrets ?? []).map { secret in
            let earlier = before?.secrets.first { $0.id == secret.id }?.accepted ?? 0
            let isCurrent = record.primary.secretID?.description == secret.id
            return Exchanges(
                secretID: secret.id, role: isCurrent ? "new" : "old", beforeCutOver: earlier,
                afterCutOver: secret.accepted - earlier, refused: secret.refused, status: secret.status)
        }
    }
}

extension DemoReport {
    /// Writes it for people.
    func show(on terminal: Terminal) {
        let stream = terminal.output
        func verdict(_ isGood: Bool, _ text: String) -> String {
            (isGood ? Styled.green : .red)(isGood ? "✓" : "✗", on: stream) + " " + text
        }
        var stageTable = Table("STAGE", "ENTERED", "TOOK")
        for (index, entry) in stages.enumerated() {
            let end = index + 1 < stages.count ? stages[index + 1].seconds : nil
            stageTable.rows.append([
                entry.stage.rawValue, Self.seconds(entry.seconds), end.map { Self.seconds($0 - entry.seconds) } ?? "",
            ])
        }
        terminal.show(stageTable)
        terminal.print("")
        var secretTable = Table("SECRET", "EXCHANGES BEFORE CUT-OVER", "AFTER", "REFUSED", "AT THE SERVER")
        secretTable.rows = exchanges.map { secret in
            [
                secret.role, String(secret.beforeCutOver), String(secret.afterCutOver), String(secret.refused),
                secret.status.lowercased(),
            ]
        }
        terminal.show(secretTable)
        terminal.print("")
        terminal.print(verdict(failures == 0, "\(requests) requests, \(failures) failures (vault: \(backend))"))
        for message in failureMessages { terminal.print("  \(message.printable)") }
        if throttled > 0 { terminal.print("  \(throttled) times a worker was told to come back later, and did") }
        terminal.print(verdict(outcome == RotationMachine.Outcome.completed.rawValue, "rotation \(outcome)"))
        terminal.print(verdict(oldSecretRefused, "the old secret is refused, as a random one is"))
        terminal.print(verdict(auditVerified, "audit log verified, \(auditLines) lines"))
    }

    private static func seconds(_ value: Double) -> String {
        Duration.milliseconds(Int64(value * 1000)).tenths + "s"
    }
}

extension Duration {
    /// Seconds, rounded to milliseconds.
    fileprivate var seconds: Double {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        return Double(milliseconds) / 1000
    }
}
