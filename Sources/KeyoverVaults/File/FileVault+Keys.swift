public import KeyoverCore
public import KeyoverSealing
import Synchronization

extension FileVault: RekeyableVault {
    /// Who can open the vault, as its key file says.
    public var audience: VaultAudience { folder.keys.access }
    /// Whether the key file still holds the keys of two epochs.
    public var isBetweenEpochs: Bool { folder.keys.isBetweenEpochs }

    /// Replaces all keys, seals everything anew and begins the next epoch.
    ///
    /// 1. The key file gets the new keys beside the old ones, for the new audience; the database says which are in force.
    /// 2. Configuration pins both. 3. One transaction seals everything anew. 4. Configuration pins the new keys, and the
    /// key file drops the old ones. What fails before the commit puts the old key file back.
    public func rekey(
        for audience: VaultAudience, passphrase: ScryptPassphrase?, marking restoration: Restoration?,
        pinning: @Sendable ([[UInt8]]) throws(VaultError) -> Void
    ) async throws(VaultError) -> VaultPin {
        let lock = try folder.directory.lock(patience: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        let before = try await current(restoration != nil)
        let epoch = max(before.keyring.epoch, before.highest?.epoch ?? 0) + 1
        let next = try before.keyring.successor(epoch: epoch)
        let keys = KeyFiles(directory: folder.directory, identities: (passphrase.map { [$0] } ?? []) + identities)
        // Whoever leaves a passphrase behind cannot prove yet that he holds a key.
        if before.file.access.full != [.passphrase] || audience.full == [.passphrase] {
            try audience.demandAccess(of: keys.identities)
        }
        let isCommitting = Atomic(false)
        do throws(VaultError) {
            try keys.write(KeyFile([before.keyring, next], for: audience))
            try pinning([before.keyring.commitment, next.commitment])
            try await renew(before, to: next, restoration) { isCommitting.store(true, ordering: .releasing) }
        } catch {
            // Once a commit was tried, a crash may still bring the new epoch: then both stay openable.
            if !isCommitting.load(ordering: .acquiring) {
                try? KeyFiles(directory: folder.directory, identities: identities).write(before.file)
            }
            throw error
        }
        try pinning([next.commitment])
        try keys.write(KeyFile([next], for: audience))
        return VaultPin(next)
    }

    /// Writes the key files with the keys that they hold, for more people.
    public func grant(to audience: VaultAudience) async throws(VaultError) {
        let lock = try folder.directory.lock(patience: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        let present = try VaultFolder.openKeys(in: folder.directory, identities)
        for keyring in present.keyrings { try keyring.demandValues(for: "grants") }
        try present.access.demandSubset(of: audience)
        try KeyFiles(directory: folder.directory, identities: identities)
            .write(KeyFile(present.keyrings, for: audience))
    }

    /// What the vault is at this moment, looked at while the keys' lock is held.
    private func current(_ isRestored: Bool) async throws(VaultError) -> Present {
        let file = try VaultFolder.openKeys(in: folder.directory, identities)
        let row = try await connections.read { try $0.vault() }
        guard let row, let present = file.keyring(epoch: row.epoch), present.commitment == keyring.commitment else {
            throw VaultError(
                .conflict, "somebody else has rekeyed the vault", remedy: "run the command again", isRetryable: true)
        }
        let mark = try folder.highWaterMark?.read()
        return Present(file: file, keyring: present, floor: isRestored ? nil : mark, highest: mark)
    }

    /// The one transaction: check all, seal all anew, check all again.
    private func renew(
        _ before: Present, to next: Keyring, _ restoration: Restoration?,
        beforeCommit: @escaping @Sendable () -> Void
    ) async throws(VaultError) {
        _ = try await connections.write { rows in
            let reader = try VaultReader(rows, before.keyring, notOlderThan: before.floor)
            try Self.demandSoundness(reader)
            let mark = try VaultRenewal(rows, reader, to: next).run(marking: restoration)
            try Self.demandSoundness(VaultReader(rows, next, notOlderThan: mark))
            beforeCommit()
            return mark
        } afterCommit: { [folder] mark in
            try? folder.highWaterMark?.raise(to: mark)
        }
        await connections.truncateLog()
    }

    /// Refuses a vault with anything wrong in it.
    static func demandSoundness(_ reader: VaultReader<DatabaseRows>) throws(VaultError) {
        var found = VaultVerification()
        try check(reader, into: &found)
        guard let first = found.findings.first else { return }
        throw VaultError.tampered(first.message)
    }

    private struct Present {
        /// The key file as it lies there.
        let file: KeyFile
        /// The keys in force.
        let keyring: Keyring
        /// Below which a state of the vault is refused.
        let floor: VaultMark?
        /// The newest state that this host has seen.
        let highest: VaultMark?
    }
}
