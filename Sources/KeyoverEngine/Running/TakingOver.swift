import KeyoverCore

/// How a runner comes to hold the claim on a rotation that another one may still be working on.
extension RotationRunner {
    /// Waits for another runner's claim to run out where the options allow it, then stores an own one.
    ///
    /// A claim may be taken over once it stood unchanged for its term plus the provider's longest delay of a write, or at
    /// once where the kernel proves its holder dead. A reading of this boot's clock dates the claim; a claim from
    /// another host is timed from when this runner first saw it. A holder that renews its claim is at work, and however
    /// long the caller would wait, it is left alone.
    mutating func takeOver() async throws {
        try await flushOutbox()
        try await outlastClaim()
        do {
            try await write(record)
        } catch let error as VaultError where error.code == .conflict {
            throw busy()
        } catch {
            try? await release()
            throw error
        }
    }

    /// Waits until no other runner may send anything for the rotation any more.
    mutating func outlastClaim() async throws {
        let firstSeen = parts.clock.now()
        while true {
            guard let claim = record.rotation?.claim else { break }
            if parts.presence.isProvenDead(claim) { break }
            let now = parts.clock.now()
            let since = claim.at.bootID == now.bootID ? claim.at : firstSeen
            let missing = since.remaining(of: claim.term + provider.capabilities.commitDelay, at: now)
            if missing == .zero { break }
            guard waited + missing <= options.wait else { throw busy() }
            parts.progress(.waitingForClaim(missing, record.name))
            do {
                try await parts.sleep(for: min(missing, .seconds(1)))
            } catch {
                throw interrupted()
            }
            waited = waited + min(missing, .seconds(1))
            let found = try await parts.require(record.name)
            guard let successor = found.record.rotation else { throw busy() }
            guard successor.claim == nil || successor.claim == claim else { throw busy() }
            current = found
        }
    }
}
