import ArgumentParser
import KeyoverCore
import KeyoverVaults

/// `keyover vault`: the vault itself.
struct VaultCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault", abstract: "The vault itself: status, verify.",
        subcommands: [VaultStatusCommand.self, VaultVerifyCommand.self])
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
