import KeyoverCore

/// One client of a file, checked as far as that goes without asking anybody.
struct ImportEntry: Sendable {
    let line: Int
    let name: ClientName
    let registration: Registration
    let clientID: String
    let secret: SecretValue
    let secretID: SecretID?
    let issuedAt: Timestamp?
}

/// Makes entries of drafts; what is wrong is collected, so that a person sees all of it at once.
struct ImportReader {
    /// More clients than these are for several files.
    private static let limit = 20_000

    let file: UnsafeRawBufferPointer
    let tenant: TenantName?
    private(set) var entries: [ImportEntry] = []
    private(set) var mistakes: [ImportMistake] = []
    private var linesByName: [ClientName: Int] = [:]

    init(_ form: ImportForm, _ file: UnsafeRawBufferPointer, tenant: TenantName?) {
        self.file = file
        self.tenant = tenant
        let found = form.drafts(in: file, hasTenant: tenant != nil)
        mistakes = found.mistakes
        if let excess = found.drafts.dropFirst(Self.limit).first {
            let message = "more than \(Self.limit) clients; split the file"
            mistakes.append(ImportMistake(line: excess.line, message: message))
        }
        for draft in found.drafts.prefix(Self.limit) { read(draft) }
        mistakes.sort { $0.line < $1.line }
    }

    private mutating func read(_ draft: ImportDraft) {
        let before = mistakes.count
        let name = name(of: draft)
        if let name, let line = linesByName[name] { blame(draft, "\(name) stands on line \(line) already") }
        if let name, linesByName[name] == nil { linesByName[name] = draft.line }
        let clientID = required(.clientID, of: draft)
        if let clientID, !RegistrationRules.isClientID(clientID) {
            blame(draft, "\(draft.title(of: .clientID)) takes printable ASCII characters, 1024 at most")
        }
        let secret = draft.fields[.clientSecret].map { $0.secret(in: file) }
        if secret?.isEmpty ?? true { blame(draft, "\(draft.title(of: .clientSecret)) is missing") }
        if let secret, secret.count > SecretInput.limit {
            blame(draft, "\(draft.title(of: .clientSecret)) has more than \(SecretInput.limit) bytes")
        }
        let registration = registration(of: draft)
        let issuedAt = value(.issuedAt, of: draft, "a date such as 2026-01-31") { Timestamp($0) }
        let secretID = text(.secretID, of: draft).map { SecretID($0) }
        guard mistakes.count == before, let name, let clientID, let secret, let registration else { return }
        entries.append(
            ImportEntry(
                line: draft.line, name: name, registration: registration, clientID: clientID, secret: secret,
                secretID: secretID, issuedAt: issuedAt))
    }

    private mutating func name(of draft: ImportDraft) -> ClientName? {
        if let prefix = draft.prefix {
            let name = ClientName(prefix.lowercased().replacing("_", with: "-"))
            if name == nil { blame(draft, "\(prefix) makes no name of a client, which is \(RegistrationRules.name)") }
            return name
        }
        guard required(.name, of: draft) != nil else { return nil }
        return value(.name, of: draft, RegistrationRules.name) { ClientName($0) }
    }

    private mutating func registration(of draft: ImportDraft) -> Registration? {
        let given = value(.tenant, of: draft, "the name of a tenant") { TenantName($0) }
        guard let tenant = given ?? tenant else {
            // A name that breaks the rules was blamed already.
            if text(.tenant, of: draft) == nil { blame(draft, "\(draft.title(of: .tenant)) is missing") }
            return nil
        }
        var registration = Registration(tenant: tenant)
        registration.tokenURL = text(.tokenURL, of: draft)
        let scopes = text(.scope, of: draft)?.split(separator: " ").map(String.init) ?? []
        if !scopes.allSatisfy(RegistrationRules.isScope) {
            blame(draft, "\(draft.title(of: .scope)) takes scopes with spaces between them")
        }
        registration.scopes = scopes
        let auth = value(.auth, of: draft, "basic or post") { AuthenticationArgument(rawValue: $0) }
        registration.authentication = auth?.value ?? registration.authentication
        registration.owner = text(.owner, of: draft)
        registration.consumerCache = value(.consumerCache, of: draft, RegistrationRules.span) { TimeSpan($0) }
        for column in draft.fields.keys {
            if case .label(let key) = column { registration.labels[key] = text(column, of: draft) }
        }
        return registration
    }

    // MARK: Fields

    private mutating func required(_ column: ImportColumn, of draft: ImportDraft) -> String? {
        let before = mistakes.count
        let text = text(column, of: draft)
        if text == nil, mistakes.count == before { blame(draft, "\(draft.title(of: column)) is missing") }
        return text
    }

    private mutating func value<Value>(
        _ column: ImportColumn, of draft: ImportDraft, _ wants: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = text(column, of: draft) else { return nil }
        let value = parse(text)
        // Not repeated: in a row that is shifted the secret may stand anywhere.
        if value == nil { blame(draft, "\(draft.title(of: column)) takes \(wants)") }
        return value
    }

    /// The text of a field; `nil` for one that is empty or not there.
    private mutating func text(_ column: ImportColumn, of draft: ImportDraft) -> String? {
        guard let field = draft.fields[column] else { return nil }
        guard let text = field.text(in: file) else {
            let message = "\(draft.title(of: column)) is not UTF-8"
            if !mistakes.contains(where: { $0.line == draft.line && $0.message == message }) { blame(draft, message) }
            return nil
        }
        return text.isEmpty ? nil : text
    }

    private mutating func blame(_ draft: ImportDraft, _ message: String) {
        mistakes.append(ImportMistake(line: draft.line, message: message))
    }
}
