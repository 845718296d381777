/// What `keyover get` can answer about a client.
public enum SecretField: String, CaseIterable, Sendable {
    /// The client id that goes with the secret.
    case clientID = "client_id"
    /// The secret in force.
    case clientSecret = "client_secret"
    /// The generation that it belongs to.
    case generation
    /// The slot that it lies in.
    case slot
    /// Where to exchange it for a token.
    case tokenURL = "token_url"
}

/// How `keyover get` writes its answer.
public enum SecretFormat: String, CaseIterable, Sendable {
    /// One bare value and a line feed.
    case raw
    /// One JSON object on one line.
    case json
    /// Lines `KEYOVER_CLIENT_ID='...'` that a POSIX shell can `eval`.
    case env
}

/// The answer of `keyover get`, in one place for the front and for `get --as`.
///
/// A line feed always follows, as after what `pass show` prints; `$(...)` takes it off. All of it is put together in
/// memory that is wiped, because the secret is in it.
public struct SecretOutput: Sendable {
    /// How often a client that has moved is looked for again, and for how many milliseconds each time: the configuration
    /// of the host that moves a vault follows right after the last client.
    public static let looksAfterMove = 40
    /// See ``looksAfterMove``.
    public static let pauseAfterMove: Int64 = 50

    private let record: ClientRecord

    /// The answer about a client; there is none about one that came out of a backup and is not verified, or that lives
    /// in another vault.
    public init(_ record: ClientRecord) throws(RotationError) {
        try record.requireVerified()
        self.record = record
    }

    /// The bytes to write.
    ///
    /// Without a field, `raw` answers the secret, and the other formats answer all there is.
    public func render(field: SecretField?, format: SecretFormat) throws(VaultError) -> SecretValue {
        switch format {
        case .raw: try raw(field ?? .clientSecret)
        case .json: try json(field.map { [$0] } ?? SecretField.allCases, named: field == nil)
        case .env: try env(field.map { [$0] } ?? SecretField.allCases, named: field == nil)
        }
    }

    private func raw(_ field: SecretField) throws(VaultError) -> SecretValue {
        var text = WipedText()
        guard let value = try value(of: field) else { throw missing(field) }
        value.withUnsafeSecretBytes { text.append($0) }
        text.append("\n")
        return text.finish()
    }

    private func json(_ fields: [SecretField], named: Bool) throws(VaultError) -> SecretValue {
        var text = WipedText()
        text.append("{")
        if named {
            text.append("\"client\":")
            text.appendJSON(record.name.description.utf8)
            text.append(",")
        }
        for (index, field) in fields.enumerated() {
            if index > 0 { text.append(",") }
            text.append("\"\(field.rawValue)\":")
            guard let value = try value(of: field) else {
                text.append("null")
                continue
            }
            value.withUnsafeSecretBytes { bytes in
                if field == .generation { text.append(bytes) } else { text.appendJSON(bytes) }
            }
        }
        text.append("}\n")
        return text.finish()
    }

    private func env(_ fields: [SecretField], named: Bool) throws(VaultError) -> SecretValue {
        var text = WipedText()
        if named { text.append("KEYOVER_CLIENT='\(record.name)'\n") }
        for field in fields {
            guard let value = try value(of: field) else {
                // A line with an empty value would hide an unset variable from `set -u`.
                if named { continue }
                throw missing(field)
            }
            text.append("KEYOVER_\(field.rawValue.uppercased())=")
            value.withUnsafeSecretBytes { text.appendShell($0) }
            text.append("\n")
        }
        return text.finish()
    }

    private func value(of field: SecretField) throws(VaultError) -> SecretValue? {
        switch field {
        case .clientID: return SecretValue(copying: record.activeSlot.clientID.utf8)
        case .generation: return SecretValue(copying: String(record.generation).utf8)
        case .slot:
            let slot = record[record.active] == nil ? .primary : record.active
            return SecretValue(copying: slot.rawValue.utf8)
        case .tokenURL: return record.registration.tokenURL.map { SecretValue(copying: $0.utf8) }
        case .clientSecret:
            guard let value = record.activeSlot.value else {
                throw VaultError(
                    .noValueAccess, "the secret of client \(record.name) cannot be read with this identity",
                    remedy: "use an identity with value access: --identity FILE")
            }
            return value
        }
    }

    private func missing(_ field: SecretField) -> VaultError {
        VaultError(
            .invalid, "client \(record.name) has no \(field.rawValue) of its own",
            remedy: "run keyover client edit \(record.name) --token-url URL")
    }
}
