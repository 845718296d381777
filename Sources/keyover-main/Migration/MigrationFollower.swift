import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// A host whose configuration names the place that its vault has left: it follows to the place that it was told.
struct MigrationFollower {
    private let session: Session
    private let configuration: MovedConfiguration

    /// `nil` for a host that has no configuration, or one of another vault.
    ///
    /// - Parameters:
    ///   - session: With what the command was told in the place of what is configured.
    ///   - told: How the new place is reached.
    init?(_ session: Session, told: [SettingKey: Setting]) throws {
        let settings = try session.settings
        guard let file = try ConfigurationFile(path: settings.ownFile), let id = file.settings[.vaultID],
            id.value == settings.vaultID
        else { return nil }
        // How the old place is reached is not how the new one is, and no password goes to another server.
        let means: [SettingKey] = [.vaultUser, .vaultCredential, .vaultCertificate, .vaultCertificateKey]
        var changes: [SettingKey: Setting?] = [.vault: settings[.vault]]
        for key in means { changes[key] = .some(told[key]) }
        if let authorities = told[.caFile] { changes[.caFile] = .some(authorities) }
        self.session = session.replacing(changes)
        var configured: [SettingKey: Setting?] = [:]
        for key in SettingKey.allCases { configured[key] = .some(file.settings[key]) }
        configuration = try MovedConfiguration(settings.replacing(configured), changes)
    }

    /// Opens the vault at its new place, and lets the configuration follow.
    func follow() async throws {
        let vault = try await session.openVault(knowing: try await session.identities())
        try configuration.settle(VaultPin(vaultID: UUIDv7(vault.id), commitments: try session.pin().commitments))
    }
}
