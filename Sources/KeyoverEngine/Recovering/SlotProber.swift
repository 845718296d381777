import KeyoverCore

/// Finds out which secrets that a backup brought back still work.
///
/// A refusal counts when a random secret is answered alike and either the other slot's secret is accepted, or the
/// provider's list does not show the refused one as in force. Where a provider lists nothing, refusals in a row of every
/// secret have to do: what follows from them adds a secret and takes none away before the drain gate.
struct SlotProber {
    let prober: Prober
    let demanded: Int

    /// What the exchanges and the provider's list showed.
    struct Findings {
        /// The slot whose secret works; `nil` when none does.
        var survivor: SlotName?
        var evidence: [Evidence]
        /// What the provider lists; `nil` when it cannot tell.
        var listed: [ListedSecret]?
    }

    /// A row of exchanges with one secret.
    private struct Row {
        var accepted: [Evidence] = []
        var refused: [Evidence] = []
    }

    private var record: ClientRecord { prober.record }
    private var capabilities: Capabilities { prober.provider.capabilities }

    /// Tries the active secret, then the other one; throws while nothing can be said.
    func findings() async throws -> Findings {
        let (active, other) = (record.active, record.active.other)
        let first = try await row(active)
        if first.refused.isEmpty {
            return Findings(survivor: active, evidence: first.accepted, listed: try? await list())
        }
        guard record[other] != nil else { return try await noSurvivor(first.refused) }
        let second = try await row(other)
        guard second.refused.isEmpty else { return try await noSurvivor(first.refused + second.refused) }
        let listed = try? await list()
        // Elsewhere the other secret is the control that makes the refusal one.
        if capabilities.locksOut { try requireGone([active], listed) }
        return Findings(survivor: other, evidence: first.refused + second.accepted, listed: listed)
    }

    private func noSurvivor(_ refused: [Evidence]) async throws -> Findings {
        let listed = try await list()
        try requireGone(SlotName.allCases, listed)
        return Findings(survivor: nil, evidence: refused, listed: listed)
    }

    // MARK: Exchanges

    /// As many answers of one kind as are demanded, each a few milliseconds after the other.
    private func row(_ slot: SlotName) async throws(RotationError) -> Row {
        guard let filled = record[slot], let value = filled.value else {
            throw unclear("its \(slot) slot holds no value that can be read")
        }
        var row = Row()
        while max(row.accepted.count, row.refused.count) < demanded {
            let now = prober.parts.clock.now()
            func seen(_ kind: Evidence.Kind) -> Evidence {
                Evidence(kind, slot: slot, secretID: filled.secretID, at: now)
            }
            let (outcome, grant, _) = await prober.exchange(value, clientID: filled.clientID)
            switch outcome {
            case .granted:
                if let objection = grant.flatMap(prober.objection) { throw unclear(objection) }
                row.accepted.append(seen(.accepted))
            case .answered(let shape, _):
                row.refused.append(seen(.refused))
                // One more attempt might lock the client out; the list decides.
                if capabilities.locksOut { return row }
                guard await prober.answers(shape, toSecretsLike: value, clientID: filled.clientID) else {
                    throw unclear("the \(slot) secret is answered \(shape.status), unlike a random one")
                }
            case .noAnswer(let why):
                throw unclear(why)
            }
            guard row.accepted.isEmpty || row.refused.isEmpty else {
                throw unclear("the \(slot) secret is accepted at one time and refused at another")
            }
        }
        return row
    }

    // MARK: The provider's list

    /// The list that has to be had before a secret counts as dead; `nil` where the provider has none.
    private func list() async throws -> [ListedSecret]? {
        guard let listing = ProviderPowers(prober.provider).listing else { return nil }
        let client = ClientReference(name: record.name, clientID: record.primary.clientID)
        do throws(ProviderError) {
            return try await listing.secrets(of: client)
        } catch {
            let tenant = record.registration.tenant
            let isRejected = error.failure == .credentialRejected
            throw ProviderError(
                error.failure, effect: .none,
                "no secret of \(record.name) is accepted any more, and a new one cannot be made: \(error.message)",
                remedy: isRejected
                    ? "run keyover tenant edit \(tenant) --admin-file FILE, then keyover recover \(record.name)"
                    : error.remedy, underlying: error)
        }
    }

    /// Throws when a refused secret is in force by the provider's own list: then something else is wrong.
    private func requireGone(_ slots: [SlotName], _ listed: [ListedSecret]?) throws(RotationError) {
        for id in slots.compactMap({ record[$0]?.secretID }) {
            guard let listed else { continue }
            guard !listed.contains(where: { $0.id == id && $0.isActive }) else {
                throw unclear(
                    "the provider lists the secret \(id) as in force, and refuses it: is the client turned off?")
            }
        }
        guard capabilities.locksOut else { return }
        guard listed != nil, slots.allSatisfy({ record[$0] == nil || record[$0]?.secretID != nil }) else {
            throw unclear("wrong secrets may lock the client out, and no list shows whether they are gone")
        }
    }

    private func unclear(_ why: String) -> RotationError {
        RotationError(
            .verificationFailed, "nothing can be said of the secrets of \(record.name), so nothing was changed: \(why)",
            remedy: "run keyover recover \(record.name) again later, or look at keyover verify \(record.name)",
            isRetryable: true)
    }
}
