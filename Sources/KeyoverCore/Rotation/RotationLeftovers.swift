/// What lies at the provider, is owned, and is in no slot: the rest of a settled rotation, or of a time after a backup.
extension RotationMachine {
    /// The leftovers among what the provider lists.
    func leftovers(_ listed: [ListedSecret]) -> [OwnedSecret] {
        let kept = [record.primary.secretID, record.secondary?.secretID]
        return record.owned.filter { owned in
            !kept.contains(owned.secretID) && listed.contains { $0.id == owned.secretID }
        }
    }

    /// Removes what room is needed for, once readers had time to leave it; a person decides where nothing else can.
    mutating func makeRoom(_ listed: [ListedSecret]) -> Effect {
        var leftovers = leftovers(listed)
        if record.isUnderRecovery {
            // Applications may live on what came after the backup; what this rotation minted was never given out.
            leftovers.removeAll { !isMintedHere($0) }
            guard !leftovers.isEmpty else { return attention(.quotaFull, crowded(listed)) }
        }
        guard !leftovers.isEmpty else {
            let taken = listed.map(\.id.description).joined(separator: ", ")
            return attention(.quotaFull, "all \(listed.count) slots at the provider are taken: \(taken)")
        }
        return waitForReaders(of: leftovers) ?? remove(leftovers)
    }

    /// What the last look at the provider calls for; `nil` when there is nothing left behind.
    ///
    /// Only behind the gate of a rotation that went forward: nobody can be using what readers are not given any more.
    mutating func sweepLeftovers(_ listed: [ListedSecret]) -> Effect? {
        guard rotation.stage == .completed, rotation.compromised == nil else { return nil }
        record.adopt(listed, at: context.now, by: context.actor)
        if rotation.recovery != nil {
            let kept = record.primary.secretID
            record.owned.removeAll { owned in
                owned.secretID != kept && !listed.contains { $0.id == owned.secretID }
            }
        }
        let leftovers = leftovers(listed)
        guard !leftovers.isEmpty else { return nil }
        return waitForReaders(of: leftovers) ?? remove(leftovers)
    }

    private mutating func remove(_ leftovers: [OwnedSecret]) -> Effect {
        rotation.orphans = leftovers.map(\.secretID)
        return work()
    }

    /// Readers may have been given a secret until the moment at which it was found after a restore.
    private mutating func waitForReaders(of leftovers: [OwnedSecret]) -> Effect? {
        guard rotation.compromised == nil, !record.isUnderRecovery else { return nil }
        let overlap = max(
            context.policy.readerCache(of: record.registration), context.policy.minimumOverlap)
        let found = leftovers.compactMap(\.foundAt)
        let missing = found.map { $0.remaining(of: overlap, at: context.now) }.max() ?? .zero
        guard missing > .zero else { return nil }
        return wait(.drain, "readers may keep a secret that was found after the restore", missing)
    }

    private func isMintedHere(_ owned: OwnedSecret) -> Bool { owned.tag.map(rotation.tags.contains) ?? false }

    /// Which secrets leave no room, and what a person can do about it.
    private func crowded(_ listed: [ListedSecret]) -> String {
        let words = listed.map { secret in
            let whose = MintTag.isOurs(secret.tag, record) ? "minted here after the backup" : "not known here"
            let isOld = secret.id == record.primary.secretID
            return "\(secret.id) (\(isOld ? "refused" : whose)\(secret.isActive ? "" : ", turned off"))"
        }
        return
            "all \(listed.count) slots at the provider are taken: \(words.joined(separator: ", ")); applications may "
            + "be using one of them, so delete one that none uses at the provider, then resume"
    }
}

extension ClientRecord {
    /// Whether the active secret has to be proven just before a write: when something goes that may be in use.
    ///
    /// Under recovery there is no active secret that works, but also nobody who was given what the rotation has minted.
    public func mustProveActive(before write: Intent.Write) -> Bool {
        guard write.takesAway else { return false }
        guard isUnderRecovery, let rotation else { return true }
        let tag = owned.first { $0.secretID == write.secretID }?.tag
        return !(tag.map(rotation.tags.contains) ?? false)
    }
}
