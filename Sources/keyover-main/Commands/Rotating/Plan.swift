import KeyoverCore

/// What a rotation of a client would do: the dry-run, and the better part of `explain`.
struct Plan: Encodable {
    /// One stage and what happens in it.
    struct Step: Encodable {
        let stage: Stage
        let does: String
        /// Whether what it sends cannot be undone.
        let isPointOfNoReturn: Bool
    }

    let client: ClientName
    let tenant: TenantName
    let provider: String
    let strategy: StrategyName
    let why: String
    let policy: String
    let inProgress: Stage?
    let steps: [Step]
    let overlap: String
    let waits: [String]
    let waivers: [String]
    let manualSteps: [String]
    let capabilities: Capabilities
    private let summary: String

    private enum CodingKeys: String, CodingKey {
        case client, tenant, provider, strategy, why, policy, inProgress, steps, overlap, waits, waivers
        case manualSteps, capabilities
    }

    init(_ name: ClientName, _ workspace: Workspace) async throws {
        let record = try await workspace.client(name).record
        let tenant = try await workspace.tenant(record.registration.tenant).record
        let provider = try workspace.provider(of: tenant)
        try self.init(record, tenant, provider, policy: try workspace.policy(for: record))
    }

    private init(
        _ record: ClientRecord, _ tenant: TenantRecord, _ provider: any Provider, policy: RotationPolicy
    ) throws {
        let capabilities = provider.capabilities
        let begun = record.rotation.flatMap { Strategies.named($0.strategy) }
        let strategy = try begun ?? Strategies.choose(for: record, provider: provider)
        let reference = ClientReference(name: record.name, clientID: record.primary.clientID)
        client = record.name
        self.tenant = tenant.name
        self.provider = tenant.provider
        self.strategy = strategy.name
        why =
            begun != nil
            ? "the rotation in progress was begun with it"
            : record.registration.strategy != nil
                ? "the client is registered with it" : "the first that fits what the provider can do"
        self.policy = policy.name
        inProgress = record.rotation?.stage
        waivers = strategy.waivers
        self.capabilities = capabilities
        let demanded = policy.verifyingExchanges ?? capabilities.verifyingExchanges
        let cache = policy.readerCache(of: record.registration)
        let overlapAtLeast = max(cache, policy.minimumOverlap)
        overlap = "at least \(overlapAtLeast), at most \(policy.maximumOverlap) before a person is asked"
        let narrator = StageNarrator(
            record: record, strategy: strategy, provider: provider, reference: reference, demanded: demanded,
            overlap: overlapAtLeast, soak: policy.soak)
        steps = strategy.path(capabilities).map { stage in
            Step(
                stage: stage, does: narrator.words(stage), isPointOfNoReturn: stage == strategy.pointOfNoReturn)
        }
        waits = narrator.waits()
        manualSteps = narrator.manualSteps()
        summary = strategy.summary
    }

    /// Writes it for people.
    func show(on terminal: Terminal) {
        var sheet = Sheet()
        sheet.add("client", client.description)
        sheet.add("provider", "\(provider) (tenant \(tenant))")
        sheet.add("strategy", "\(strategy): \(summary)")
        sheet.add("why", why)
        sheet.add("provider can", Self.words(capabilities))
        sheet.add("policy", policy)
        sheet.add("in progress", inProgress?.rawValue)
        sheet.add("overlap", overlap)
        for wait in waits { sheet.add("waits", wait) }
        for waiver in waivers { sheet.add("cannot promise", waiver) }
        terminal.show(sheet)
        terminal.print("")
        var table = Table("STAGE", "WHAT HAPPENS")
        table.rows = steps.map { step in
            [step.stage.rawValue, step.does + (step.isPointOfNoReturn ? "  <- no way back from here" : "")]
        }
        terminal.show(table)
        guard !manualSteps.isEmpty else { return }
        terminal.print("")
        terminal.print("What the person does:")
        for step in manualSteps { terminal.print("  " + step.printable) }
    }

    private static func words(_ capabilities: Capabilities) -> String {
        var words = ["hold \(capabilities.maxSecrets) secrets"]
        if capabilities.deletesByID { words.append("delete one by its id") }
        if capabilities.reversibleDeactivate { words.append("turn one off and on") }
        if capabilities.callerChoosesValue { words.append("take a chosen value") }
        if let fuse = capabilities.addStartsFuse { words.append("expire older ones \(fuse) after an addition") }
        if let cap = capabilities.liveTokenCap { words.append("hold \(cap) live tokens") }
        words.append("take up to \(capabilities.propagationBound) to spread a change")
        return words.joined(separator: ", ")
    }
}

/// Says in words what each stage does for one client.
private struct StageNarrator {
    let record: ClientRecord
    let strategy: any Strategy
    let provider: any Provider
    let reference: ClientReference
    let demanded: Int
    let overlap: TimeSpan
    let soak: TimeSpan

    private var old: String { record.primary.secretID.map { "secret \($0)".printable } ?? "the old secret" }

    func words(_ stage: Stage) -> String {
        switch stage {
        case .minting:
            strategy.provision == .person
                ? "a person adds a second secret"
                : "list the secrets, count the slots, add a second secret with a tag of ours"
        case .staged: "store the secret, read it back, compare"
        case .verifying:
            "\(demanded) accepted exchanges in a row"
                + (record.registration.canaryURL.map { ", then a request to \($0.printable)" } ?? "")
        case .cutOver:
            "readers get the new secret from here on (generation \(record.generation + 1))"
                + (record.registration.deliveries.isEmpty ? "" : "; \(record.registration.deliveries.count) deliveries")
        case .draining: "wait until nobody can be using the old one, \(overlap) at least"
        case .deactivating: "turn \(old) off, which can be undone"
        case .soaking:
            soak == .zero ? "one more exchange with the new one" : "watch for \(soak) whether anybody complains"
        case .retiring:
            strategy.provision == .person || record.primary.secretID == nil
                ? "a person deletes \(old)" : "delete \(old)"
        case .proving: "\(demanded) refusals of the old one in a row, each between controls"
        case .completed: "erase the old value, look for leftovers, keep the evidence"
        case .precheck, .switchBack, .drainBack, .removing, .provingRemoved, .rolledBack, .needsAttention:
            stage.rawValue
        }
    }

    func waits() -> [String] {
        var waits: [String] = []
        if provider.capabilities.propagationBound > .zero {
            waits.append("\(provider.capabilities.propagationBound) each after adding and after deleting, to spread")
        }
        if overlap > .zero { waits.append("\(overlap) after traffic moved, for readers' caches") }
        if soak > .zero { waits.append("\(soak) while the old secret is off") }
        if strategy.provision == .person { waits.append("for a person, twice: to add and to delete a secret") }
        return waits
    }

    /// What a person is told to do, when there is something.
    func manualSteps() -> [String] {
        let isManual = strategy.provision == .person
        guard isManual || record.primary.secretID == nil else { return [] }
        let adding = isManual ? provider.instructions(for: .addSecret, client: reference) : []
        return adding
            + provider.instructions(for: .deleteSecret(.primary, record.primary.secretID), client: reference)
    }
}
