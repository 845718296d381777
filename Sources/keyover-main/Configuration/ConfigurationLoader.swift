import KeyoverCore

/// Puts the configuration together: flags, the environment, the user's file, the system's, then defaults.
///
/// Each key is taken from the strongest place that sets it. `--config` or `KEYOVER_CONFIG` names a file that is read in
/// place of the two standard ones.
struct ConfigurationLoader {
    static let systemFile = "/etc/keyover/config.yaml"
    /// What is called how among a service's credentials.
    static let credentials: [SettingKey: String] = [
        .identity: "keyover.identity", .vaultCredential: "keyover.vault-credential",
    ]
    private static let configVariable = "KEYOVER_CONFIG"

    let environment: [String: String]

    func load(_ options: GlobalOptions) throws(ConfigurationError) -> Settings {
        let places = try StandardPlaces(environment: environment)
        let named = options.config ?? environment[Self.configVariable]
        let ownFile = named ?? places.configuration + "/config.yaml"
        var files: [ConfigurationFile] = []
        for path in named.map({ [$0] }) ?? [ownFile, Self.systemFile] {
            if let file = try ConfigurationFile(path: path) { files.append(file) }
        }
        var values: [SettingKey: Setting] = [:]
        for file in files.reversed() { values.merge(file.settings) { _, stronger in stronger } }
        values.merge(credentialsDirectory()) { _, stronger in stronger }
        for key in SettingKey.allCases {
            guard let value = environment[key.environmentName], !value.isEmpty else { continue }
            values[key] = Setting(value: value, origin: .environment(key.environmentName))
        }
        if let vault = options.vault { values[.vault] = Setting(value: vault, origin: .flag("--vault")) }
        if let identity = options.identity {
            values[.identity] = Setting(value: identity, origin: .flag("--identity"))
        }
        return Settings(values, files: files.map(\.path), ownFile: ownFile, places: places)
    }

    /// Variables that look like Keyover's and are not.
    func unknownVariables() -> [String] {
        let known = Set(SettingKey.allCases.map(\.environmentName) + [Self.configVariable])
        return environment.keys.filter { $0.hasPrefix("KEYOVER_") && !known.contains($0) }.sorted()
    }

    /// What systemd's `LoadCredential=` hands to a service is stronger than a file and weaker than the environment.
    private func credentialsDirectory() -> [SettingKey: Setting] {
        guard let directory = environment["CREDENTIALS_DIRECTORY"], directory.hasPrefix("/") else { return [:] }
        var found: [SettingKey: Setting] = [:]
        for (key, name) in Self.credentials where FileSystem.exists("\(directory)/\(name)") {
            found[key] = Setting(value: "\(directory)/\(name)", origin: .credential(directory: directory, name: name))
        }
        return found
    }
}
