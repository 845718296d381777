import KeyoverCore

/// Where a leaked secret was found and what to do about it, as `client find` shows it; never the secret.
struct MatchView: Encodable {
    let client: ClientName
    let tenant: TenantName
    let slot: String
    let active: Bool
    let clientID: String?
    let secretID: SecretID?
    let issuedAt: Timestamp?
    let storedAt: Timestamp?
    let age: String?
    let retiredAt: Timestamp?
    let rotation: String?
    let provenDead: Bool?
    let matched: PastedSecret.Form
    let next: String?

    init(_ match: SecretSearch.Match, at now: Timestamp) {
        let record = match.record
        client = record.name
        tenant = record.registration.tenant
        matched = match.form
        var (filled, gone): (Slot?, RetiredSecret?)
        switch match.place {
        case .slot(let name):
            (slot, active) = (name.rawValue, record.active == name)
            filled = record[name]
            if record.isToBeRecovered {
                // Nothing is rotated before it is known which of its secrets work.
                next = "keyover recover \(record.name)"
            } else if record.rotation?.compromised == name {
                next = "keyover resume \(record.name)"
            } else {
                next =
                    "keyover rotate \(record.name) --compromised \(name.rawValue) --reason \"leaked: WHERE IT WAS FOUND\""
            }
        case .standby:
            (slot, active) = ("standby", false)
            // The standby's secret is replaced when the next rotation begins, before anybody uses it.
            next = "keyover rotate \(record.name) --reason \"leaked: WHERE IT WAS FOUND\""
        case .retired(let retired):
            (slot, active, gone) = ("retired", false, retired)
            next = retired.isProvenDead ? nil : "keyover log \(record.name)"
        }
        clientID = filled?.clientID ?? (gone == nil ? record.standby?.clientID : nil)
        secretID = filled?.secretID ?? gone?.secretID
        issuedAt = filled?.issuedAt
        storedAt = filled?.storedAt
        age = (issuedAt ?? storedAt).map { (now - $0).rounded }
        retiredAt = gone?.retiredAt
        rotation = gone?.rotation.description
        provenDead = gone?.isProvenDead
    }

    /// The lines for people.
    var sheet: Sheet {
        var sheet = Sheet()
        sheet.add("client", client.description)
        sheet.add("tenant", tenant.description)
        sheet.add("secret", whereabouts)
        sheet.add("client id", clientID?.printable)
        sheet.add("secret id", secretID?.description.printable ?? "not known")
        sheet.add("age", age.map { "\($0), \(issuedAt == nil ? "since it was stored" : "since it was issued")" })
        sheet.add("matched", matched.words)
        sheet.add("next", next ?? "nothing: it is of no use to anybody")
        return sheet
    }

    private var whereabouts: String {
        guard let retiredAt, let rotation else { return "\(slot), \(active ? "active" : "not active")" }
        let end = provenDead == true ? "proven dead" : "never proven dead: look for it at the provider"
        return "retired on \(retiredAt.day) by rotation \(rotation), \(end)"
    }
}
