import Glibc
import KeyoverCore
import KeyoverSealing

/// What the front needs to know to answer: which vault, who opens it, what it must be, and where its mark lies.
///
/// Each is taken from the strongest place that says it: flags, then `KEYOVER_*`, then a service's credentials, then the
/// user's file, then the system's, then the default. The first identity that is present decides; its failure is final.
struct Settings {
    enum Identity {
        case file(String)
        case credential(directory: String)
    }

    private static let systemFile = "/etc/keyover/config.yaml"
    static let credentialName = "keyover.identity"

    let vaultPath: String
    let identity: Identity
    let pin: VaultPin
    let stateDirectory: String

    /// `nil` when something is said that only `keyover-main` understands, or not enough is said.
    init?(_ request: Request, _ environment: Environment) {
        guard !environment.isSurprising,
            let configuration = environment.place("XDG_CONFIG_HOME", orBelowHome: "/.config"),
            let data = environment.place("XDG_DATA_HOME", orBelowHome: "/.local/share"),
            let state = environment.place("XDG_STATE_HOME", orBelowHome: "/.local/state"),
            let file = Self.files([configuration + "/config.yaml", Self.systemFile])
        else { return nil }

        let vault = request.vault ?? environment["KEYOVER_VAULT"] ?? file["vault"] ?? "file:\(data)/vault"
        guard let url = VaultURL(vault), url.scheme == "file" else { return nil }
        vaultPath = url.location

        if let path = request.identity ?? environment["KEYOVER_IDENTITY_FILE"] {
            guard path != "libsecret", !path.hasPrefix("libsecret:") else { return nil }
            identity = .file(path)
        } else if let directory = environment["CREDENTIALS_DIRECTORY"], directory.hasPrefix("/"),
            Self.exists("\(directory)/\(Self.credentialName)")
        {
            identity = .credential(directory: directory)
        } else if let path = file["identity"] {
            identity = .file(path)
        } else {
            return nil
        }

        var pin = VaultPin(vaultID: nil, commitment: nil)
        if let text = environment["KEYOVER_VAULT_ID"] ?? file["vault_id"] {
            guard let id = UUIDv7(text) else { return nil }
            pin.vaultID = id
        }
        if let text = environment["KEYOVER_KEY_COMMITMENT"] ?? file["key_commitment"] {
            guard let commitments = VaultPin.commitments(text) else { return nil }
            pin.commitments = commitments
        }
        self.pin = pin
        stateDirectory = environment["KEYOVER_STATE_DIR"] ?? file["state_dir"] ?? state
    }

    /// The values of the files, those of the first one winning; `nil` when one of them is not understood.
    private static func files(_ paths: [String]) -> [String: String]? {
        var result: [String: String] = [:]
        for path in paths {
            switch ConfigurationLines(path: path) {
            case .absent: continue
            case .notUnderstood: return nil
            case .values(let values): result.merge(values) { stronger, _ in stronger }
            }
        }
        return result
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }
}
