import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// Keeps the configuration in step while a vault is restored: it accepts the old keys and the new, then the new alone.
struct RestoredConfiguration: Sendable {
    let settings: Settings
    let vault: VaultURL

    private var isFresh: Bool { settings.files.isEmpty }

    /// Refuses a backup of another vault than the configured one, and pins that could not be changed.
    func check(_ vaultID: UUIDv7) throws {
        if let pinned = settings.vaultID, pinned != vaultID.description {
            throw VaultError(
                .notTrusted, "the backup is of vault \(vaultID), and configuration pins \(pinned)",
                remedy: "restore it with another configuration: --config FILE --vault file:/PATH")
        }
        if !isFresh { _ = try ConfigurationEditor.editing(.keyCommitment, of: settings) }
    }

    /// Accepts the new keys beside the old ones; makes a configuration where there is none.
    func accept(_ pin: VaultPin) throws(VaultError) {
        let old = settings.keyCommitment.flatMap(VaultPin.commitments) ?? []
        try write(VaultPin(vaultID: pin.vaultID, commitments: old + pin.commitments))
    }

    /// Accepts the new keys alone.
    func settle(_ pin: VaultPin) throws(VaultError) {
        guard settings.keyCommitment != nil else { return }
        try write(pin)
    }

    private func write(_ pin: VaultPin) throws(VaultError) {
        do throws(ConfigurationError) {
            if isFresh, !FileSystem.exists(settings.ownFile) {
                let text = ConfigurationText(
                    vault: vault.description, identity: settings.identity.map(FileSystem.absolute), pin: pin)
                let path = FileSystem.absolute(settings.ownFile)
                try FileSystem.makeDirectory(FileSystem.parent(of: path))
                try FileSystem.create(path, text.encoded(settings))
                return
            }
            guard let editor = try ConfigurationEditor.editing(.keyCommitment, of: settings) else { return }
            do throws(VaultError) {
                try editor.set(.keyCommitment, to: pin.commitmentText)
            } catch {
                throw ConfigurationError(.unwritable, error.message, remedy: error.remedy, underlying: error)
            }
        } catch {
            throw VaultError(.unavailable, error.message, remedy: error.remedy, underlying: error)
        }
    }
}
