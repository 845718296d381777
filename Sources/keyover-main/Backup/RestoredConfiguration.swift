import Glibc
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// Keeps the configuration in step while a vault is restored: it accepts the old keys and the new, then the new alone.
struct RestoredConfiguration: Sendable {
    let settings: Settings
    let vault: VaultURL
    /// What is in the backup.
    let survey: BackupFile.Survey

    private var isFresh: Bool { settings.files.isEmpty }

    /// Refuses a backup of another vault than the configured one, a second place for it, and pins that could not be
    /// changed.
    func check() throws {
        let vaultID = survey.manifest.vaultID
        if let pinned = settings.vaultID, pinned != vaultID.description {
            throw VaultError(
                .notTrusted, "the backup is of vault \(vaultID), and configuration pins \(pinned)",
                remedy: Self.elsewhere(VaultURL(scheme: vault.scheme, location: "/PATH")))
        }
        try refuseSecondPlace(of: vaultID)
        if !isFresh { _ = try ConfigurationEditor.editing(.keyCommitment, of: settings) }
    }

    /// Refuses a backup under keys that configuration does not pin.
    ///
    /// Who makes one up can give it any state and any keys of his own. Keys from before a rekeying are accepted together
    /// with the older state that they belong to.
    func checkKeys(seen: VaultMark?, acceptingOlder acceptsOlder: Bool) throws(VaultError) {
        let pinned = settings.keyCommitment.flatMap(VaultPin.commitments) ?? []
        guard !pinned.isEmpty, !pinned.contains(survey.commitment) else { return }
        let mayBeOlder = seen.map { survey.manifest.mark.epoch <= $0.epoch } ?? true
        guard mayBeOlder, acceptsOlder else {
            throw VaultError(
                .notTrusted, "the keys in the backup are not the ones that configuration pins",
                remedy: mayBeOlder
                    ? "if it was made before the vault was rekeyed, give --accept-older"
                    : "if the vault was rekeyed elsewhere, set key_commitment to what keyover vault status printed there"
            )
        }
    }

    /// Refuses to restore a vault to another place than the configured one.
    ///
    /// Keys and the newest state seen are remembered by vault: the one at the first place would be refused from then on.
    private func refuseSecondPlace(of vaultID: UUIDv7) throws(VaultError) {
        let standard = ["\(settings.places.configuration)/config.yaml", ConfigurationLoader.systemFile]
        for path in settings.files + standard.filter({ !settings.files.contains($0) }) {
            guard let file = (try? ConfigurationFile(path: path))?.settings,
                file[.vaultID]?.value == vaultID.description,
                settings.files.contains(path) || stateDirectory(file) == settings.stateDirectory,
                let place = file[.vault].flatMap({ VaultURL($0.value) }), !Self.areSame(place, vault)
            else { continue }
            throw VaultError(
                .invalid, "by \(path) this vault is at \(place), and it would be restored to \(vault)",
                remedy: Self.elsewhere(vault))
        }
    }

    private static func elsewhere(_ vault: VaultURL) -> String {
        "for another vault, or to rehearse, use a configuration and a state directory of their own: "
            + "KEYOVER_STATE_DIR=DIR keyover --config FILE --vault \(vault) vault restore BACKUP"
    }

    private static func areSame(_ one: VaultURL, _ other: VaultURL) -> Bool {
        if one == other { return true }
        guard let path = realpath(one.location, nil), let otherPath = realpath(other.location, nil) else {
            return false
        }
        defer {
            free(path)
            free(otherPath)
        }
        return one.scheme == other.scheme && strcmp(path, otherPath) == 0
    }

    private func stateDirectory(_ file: [SettingKey: Setting]) -> String {
        file[.stateDirectory]?.value ?? settings.places.state
    }

    /// Accepts the new keys beside the old ones; makes a configuration where there is none.
    ///
    /// That one accepts the keys in the backup too, or an interrupted restore could not be repeated.
    func accept(_ pin: VaultPin) throws(VaultError) {
        if isFresh, !FileSystem.exists(settings.ownFile) {
            return try create(VaultPin(vaultID: pin.vaultID, commitments: [survey.commitment] + pin.commitments))
        }
        try edit { old in
            VaultPin(vaultID: nil, commitments: (old.flatMap(VaultPin.commitments) ?? []) + pin.commitments)
        }
    }

    /// Accepts the new keys alone.
    func settle(_ pin: VaultPin) throws(VaultError) {
        try edit { _ in pin }
    }

    private func create(_ pin: VaultPin) throws(VaultError) {
        let text = ConfigurationText(
            vault: vault.description, identity: settings.identity?.description, pin: pin)
        let path = FileSystem.absolute(settings.ownFile)
        do throws(ConfigurationError) {
            try FileSystem.makeDirectory(FileSystem.parent(of: path))
            try FileSystem.create(path, text.encoded(settings))
        } catch {
            throw Self.map(error)
        }
    }

    private func edit(_ pin: (String?) -> VaultPin) throws(VaultError) {
        let editor: ConfigurationEditor?
        do throws(ConfigurationError) {
            editor =
                isFresh
                ? ConfigurationEditor(path: FileSystem.absolute(settings.ownFile))
                : try ConfigurationEditor.editing(.keyCommitment, of: settings)
        } catch {
            throw Self.map(error)
        }
        try editor?.change(.keyCommitment) { pin($0).commitmentText }
    }

    private static func map(_ error: ConfigurationError) -> VaultError {
        VaultError(.unavailable, error.message, remedy: error.remedy, underlying: error)
    }
}
