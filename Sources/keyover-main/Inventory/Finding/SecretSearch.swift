import KeyoverCore
import KeyoverEngine

/// Looks for the clients that a secret belongs to, or belonged to.
///
/// Summaries hold the fingerprints, so that one pass over them is enough and no stored value is decrypted; only standby
/// registrations have none and are read.
struct SecretSearch {
    /// Where a secret was found.
    enum Place {
        case slot(SlotName)
        case standby
        case retired(RetiredSecret)
    }

    /// One place where it was found.
    struct Match {
        let record: ClientRecord
        let place: Place
        let form: PastedSecret.Form
    }

    let vault: any Vault

    /// All matches, ordered by client.
    func matches(_ pasted: PastedSecret) async throws -> [Match] {
        let forms = try await pasted.fingerprints(in: vault)
        var matches: [Match] = []
        for record in try await vault.summaries(ClientRecord.self).map(\.record) {
            for slot in SlotName.allCases {
                guard let form = record[slot].flatMap({ forms[$0.fingerprint] }) else { continue }
                matches.append(Match(record: record, place: .slot(slot), form: form))
            }
            if record.standby != nil, let form = try await standbyForm(of: record.name, pasted) {
                matches.append(Match(record: record, place: .standby, form: form))
            }
            for retired in record.retired.reversed() {
                guard let form = forms[retired.fingerprint] else { continue }
                matches.append(Match(record: record, place: .retired(retired), form: form))
            }
        }
        return matches
    }

    private func standbyForm(of name: ClientName, _ pasted: PastedSecret) async throws -> PastedSecret.Form? {
        guard let value = try await vault.read(name)?.record.standby?.value else { return nil }
        return pasted.variants.first { $0.value == value }?.form
    }
}

extension RetiredSecret {
    /// Whether it was seen to be refused, or to be gone from the provider's list.
    var isProvenDead: Bool {
        evidence.contains { ($0.kind == .refused || $0.kind == .listedGone) && $0.secretID == secretID }
    }
}
