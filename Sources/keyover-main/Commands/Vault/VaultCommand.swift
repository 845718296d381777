public import ArgumentParser
import KeyoverCore
import KeyoverEngine
public import KeyoverSealing
import KeyoverVaults

/// `keyover vault`: the vault itself.
struct VaultCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault", abstract: "The vault itself: status, keys, backup.",
        subcommands: [
            VaultStatusCommand.self, VaultVerifyCommand.self, VaultGrantCommand.self, VaultJoinCommand.self,
            VaultRekeyCommand.self, VaultBackupCommand.self, VaultRestoreCommand.self, VaultMigrateCommand.self,
        ])
}

extension VaultRecipient: ExpressibleByArgument {
    /// Reads `age1...` or the word `passphrase`.
    public init?(argument: String) { self.init(argument) }
}

extension Session {
    /// The vault, when its backend can tell about itself.
    func openInspectableVault() async throws -> any InspectableVault {
        let vault = try await openVault()
        guard let inspectable = vault as? any InspectableVault else {
            throw VaultError(.invalid, "vaults of the kind \(vault.backend) tell nothing about themselves")
        }
        return inspectable
    }
}

extension Workspace {
    /// The vault, when its keys can be replaced.
    func rekeyable() throws(VaultError) -> any RekeyableVault {
        guard let vault = vault as? any RekeyableVault else {
            throw VaultError(.invalid, "vaults of the kind \(vault.backend) have no keys of their own to replace")
        }
        return vault
    }

    /// Writes a line about the vault itself to the audit log.
    ///
    /// It may be about what is only going to be done: when that is done, ``backUpIfChanged()`` makes the backup.
    func note(_ action: String, _ details: [String: String], reason: String?) async throws {
        guard let name = ClientName("vault"), let id = UUIDv7(vault.id) else { return }
        try await audit.append([
            AuditEntry(
                sequence: 1, time: clock.now().wall,
                record: freshID(), client: name, rotation: nil, action: action, actor: actor, reason: reason,
                details: ["vault": id.description].merging(details) { first, _ in first })
        ])
        try await HostMark(vault: vault, log: audit).update()
    }
}
