import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization
import Testing

/// A host that has seen today's vault: harmed files are laid into its folder, and then Keyover is asked.
struct Victim: Sendable {
    /// What came of one attack.
    ///
    /// A wrong answer is none of these, but a recorded issue.
    enum Outcome: Hashable {
        /// At least one question got an error for an answer.
        case refused
        /// All questions got the right answer, and `vault verify` says that something is wrong.
        case reported
        /// All questions got the right answer, and nothing is wrong.
        case harmless
    }

    /// The codes that a harmed vault may be refused with; all of them end with exit code 5.
    static let codes: Set<VaultError.Code> = [
        .notTrusted, .newerFormat, .unavailable, .locked, .corrupt, .missing, .looseFilePermissions,
    ]

    let scratch: Scratch
    let specimen: Specimen
    let access: VaultAccess
    var path: String { scratch.path + "/vault" }

    init(_ specimen: Specimen, withMark: Bool = true, isPinned: Bool = true) throws {
        scratch = try Scratch()
        self.specimen = specimen
        _ = try PrivateDirectory.make(scratch.path + "/vault")
        let state = scratch.path + "/state"
        access = VaultAccess(
            identities: [RememberingIdentity(specimen.identity)], pin: isPinned ? specimen.pin : nil,
            stateDirectory: withMark ? state : nil)
        guard withMark, let id = specimen.pin.vaultID else { return }
        try HighWaterMark(stateDirectory: state, vaultID: id).raise(to: specimen.mark)
    }

    /// Lays the files and asks everything, as a fresh process would.
    func examine(_ image: VaultImage, _ what: @autoclosure () -> String) async throws -> Outcome {
        try image.lay(in: path)
        return await examine(what())
    }

    /// Asks everything about the files as they lie there.
    func examine(_ what: @autoclosure () -> String) async -> Outcome {
        let vault: any Vault
        do throws(VaultError) {
            vault = try await VaultRegistry.open(VaultURL(scheme: "file", location: path), access)
        } catch {
            expectHelpful(error, what())
            return .refused
        }
        var outcome = Outcome.harmless
        func ask<Answer: Equatable>(
            _ expected: Answer, _ question: () async throws(VaultError) -> Answer
        ) async {
            do throws(VaultError) {
                let answer = try await question()
                if answer != expected { Issue.record("a wrong answer after \(what())") }
            } catch {
                expectHelpful(error, what())
                outcome = .refused
            }
        }
        await ask(Answers.one) { () throws(VaultError) in try await vault.read(Answers.one.name)?.record }
        await ask(Answers.other) { () throws(VaultError) in try await vault.read(Answers.other.name)?.record }
        let tenant = SampleRecords.tenant("sandbox-1")
        await ask(tenant) { () throws(VaultError) in try await vault.read(tenant.name)?.record }
        await ask([Answers.report(generation: 2)]) { () throws(VaultError) in
            try await vault.ledger(of: Answers.one.name)
        }
        if await isSound(vault, what()) {
            if outcome == .refused { Issue.record("verify overlooks what get refuses after \(what())") }
        } else if outcome == .harmless {
            outcome = .reported
        }
        return outcome
    }

    private func isSound(_ vault: any Vault, _ what: String) async -> Bool {
        guard let vault = vault as? any InspectableVault else { return false }
        do throws(VaultError) {
            return try await vault.verify().isSound
        } catch {
            expectHelpful(error, what)
            return false
        }
    }

    private func expectHelpful(_ error: VaultError, _ what: String) {
        if !Self.codes.contains(error.code) || error.remedy == nil {
            Issue.record("\(error.code), \(error.message), \(error.remedy ?? "no remedy") after \(what)")
        }
    }
}

/// How many attacks came to what.
struct Tally: CustomStringConvertible {
    private var counts: [Victim.Outcome: Int] = [:]

    var count: Int { counts.values.reduce(0, +) }
    /// How many were noticed, in percent.
    var percentNoticed: Int { count == 0 ? 0 : (count - counts[.harmless, default: 0]) * 100 / count }
    /// How many changed nothing that anybody could ever see.
    var harmless: Int { counts[.harmless, default: 0] }

    var description: String {
        """
        \(count) attacks: \(counts[.refused, default: 0]) refused by get, \(counts[.reported, default: 0]) reported by \
        verify alone, \(harmless) without effect (\(percentNoticed)% noticed)
        """
    }

    /// Carries out attacks on a specimen, several at once, each lane on a victim of its own, and prints what came of it.
    static func of(
        _ what: String, _ attacks: some Collection<Int> & Sendable, on specimen: Specimen,
        _ attack: @escaping @Sendable (Victim, Int) async throws -> Victim.Outcome
    ) async throws -> Tally {
        let lanes = 4
        let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    let victim = try Victim(specimen)
                    var tally = Tally()
                    for (index, number) in attacks.enumerated() where index % lanes == lane {
                        tally.counts[try await attack(victim, number), default: 0] += 1
                    }
                    return tally
                }
            }
            return try await group.reduce(into: Tally()) { $0.counts.merge($1.counts, uniquingKeysWith: +) }
        }
        print("\(what): \(tally)")
        return tally
    }
}

/// An identity that unwraps equal stanzas only once: the curve costs a third of an attack, and few attacks concern it.
private final class RememberingIdentity: AgeIdentity {
    private let identity: X25519Identity
    private let last = Mutex<(stanzas: [AgeStanza], fileKey: SecretValue?)?>(nil)

    init(_ identity: X25519Identity) {
        self.identity = identity
    }

    func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> SecretValue? {
        if let known = last.withLock({ $0 }), known.stanzas == stanzas { return known.fileKey }
        let fileKey = try identity.unwrap(stanzas)
        last.withLock { $0 = (stanzas, fileKey) }
        return fileKey
    }
}
