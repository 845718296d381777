import KeyoverCore
import KeyoverProviders

/// Adopts the clients of a file: tries several at once, stores one after the other, and lets none stop the others.
struct ImportRun {
    /// What became of a client.
    enum Outcome {
        case added(ClientRecord)
        case wouldAdd
        case unchanged
        case failed(message: String, hint: String?)
    }

    /// A client with what became of it.
    struct Result {
        let entry: ImportEntry
        let outcome: Outcome
    }

    /// A tenant with its adapter.
    typealias Account = (tenant: TenantRecord, provider: any Provider)

    private enum Attempt {
        case ready(ClientRecord, Adoption)
        case done(Outcome)
    }

    /// How many exchanges are under way at once: enough to hide the way to the server, too few to trouble it.
    private static let width = 4

    let workspace: Workspace
    let accounts: [TenantName: Account]
    let isVerifying: Bool
    let isDry: Bool
    let reason: String?

    /// Goes through the entries; `progress` hears how many are done.
    func run(_ entries: [ImportEntry], progress: (Int) -> Void) async -> [Result] {
        var outcomes: [Int: Outcome] = [:]
        await withTaskGroup(of: (Int, Attempt).self) { group in
            var rest = entries.indices[...]
            func startNext() {
                guard !Signals.wasAsked, let index = rest.popFirst() else { return }
                group.addTask { (index, await attempt(entries[index])) }
            }
            for _ in 1...Self.width { startNext() }
            while let (index, attempt) = await group.next() {
                outcomes[index] = await finish(attempt)
                progress(outcomes.count)
                startNext()
            }
        }
        return entries.indices.map { index in
            Result(
                entry: entries[index],
                outcome: outcomes[index] ?? .failed(message: "not tried: interrupted", hint: nil))
        }
    }

    private func attempt(_ entry: ImportEntry) async -> Attempt {
        do {
            guard let (tenant, provider) = accounts[entry.registration.tenant] else {
                return .done(.failed(message: "there is no tenant \(entry.registration.tenant)", hint: nil))
            }
            let adoption = Adoption(
                workspace: workspace, tenant: tenant, provider: provider, name: entry.name, clientID: entry.clientID,
                secret: entry.secret)
            switch try await adoption.standing() {
            case .same: return .done(.unchanged)
            case .taken(let why): return .done(Self.conflict(entry.name, why))
            case .vacant: break
            }
            if isDry { return .done(.wouldAdd) }
            let record = try await adoption.record(
                entry.registration, verifying: isVerifying, secretID: entry.secretID, issuedAt: entry.issuedAt)
            return .ready(record, adoption)
        } catch {
            return .done(Self.failure(error))
        }
    }

    private func finish(_ attempt: Attempt) async -> Outcome {
        switch attempt {
        case .done(let outcome): return outcome
        case .ready(let record, let adoption):
            do {
                try await adoption.store(record, verified: isVerifying, reason: reason)
                return .added(record)
            } catch {
                // Somebody else may have been faster, with the same file.
                if let standing = try? await adoption.standing(), case .same = standing { return .unchanged }
                return Self.failure(error)
            }
        }
    }

    private static func conflict(_ name: ClientName, _ why: String) -> Outcome {
        .failed(message: why, hint: "look at it with keyover client show \(name)")
    }

    private static func failure(_ error: any Error) -> Outcome {
        let report = ErrorReport(error)
        return .failed(message: report.message ?? "interrupted", hint: report.hint)
    }
}
