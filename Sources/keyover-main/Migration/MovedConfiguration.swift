import KeyoverCore
import KeyoverSealing

/// Lets the configuration of this host name another place of the same vault, all of it in one step.
struct MovedConfiguration {
    private let editor: ConfigurationEditor
    private let settings: Settings
    private let changes: [SettingKey: Setting?]

    /// Refuses a configuration that could not be changed, before anything else has been.
    init(_ settings: Settings, _ changes: [SettingKey: Setting?]) throws(ConfigurationError) {
        guard let first = settings.files.first else {
            throw ConfigurationError(
                .unreadable, "there is no configuration that could name the new place of the vault",
                remedy: "run keyover config, and write vault and identity into the file that it names")
        }
        var paths: Set<String> = []
        for key in changes.keys.map(\.self) + [.vaultID, .keyCommitment] {
            guard let editor = try ConfigurationEditor.editing(key, of: settings) else { continue }
            paths.insert(editor.path)
        }
        guard paths.count <= 1 else {
            throw ConfigurationError(
                .invalidValue, "what says where the vault is lies in \(paths.sorted().joined(separator: " and in "))",
                remedy: "write all of it into one of them, so that it can change in one step")
        }
        editor = ConfigurationEditor(path: paths.first ?? FileSystem.absolute(first))
        try editor.demandEditable(.vault)
        self.settings = settings
        self.changes = changes
    }

    /// The file that is changed.
    var path: String { editor.path }

    /// Names the new place and pins its keys.
    func settle(_ pin: VaultPin) throws(VaultError) {
        var values: [SettingKey: String?] = changes.mapValues { $0?.value }
        values[.vaultID] = pin.vaultID?.description ?? settings.vaultID
        values[.keyCommitment] = pin.commitmentText
        Self.forgetEntries(settings, pin)
        try editor.set(values)
        Self.forgetEntries(settings, pin)
    }

    /// How far each entry had come at the old place says nothing about the new one: what was removed before the move is
    /// not there at all.
    private static func forgetEntries(_ settings: Settings, _ pin: VaultPin) {
        guard let id = pin.vaultID else { return }
        FileSystem.removeTree(HighWaterMark.entryFolder(settings.stateDirectory, id))
    }
}
