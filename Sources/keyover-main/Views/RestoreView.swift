import KeyoverCore

/// What a restore did.
struct RestoreView: Encodable {
    let vault: String
    let state: String
    let backedUpAt: Timestamp?
    let clients: Int
    let keyCommitment: String
    let replaced: String?
    let logsAside: [String]

    func show(on terminal: Terminal) {
        var sheet = Sheet()
        sheet.add("vault", vault)
        sheet.add("state", state)
        sheet.add("backed up", backedUpAt?.description)
        sheet.add("clients", String(clients))
        sheet.add("key commitment", keyCommitment)
        sheet.add("kept aside", replaced)
        for log in logsAside { sheet.add("log kept aside", log) }
        terminal.show(sheet)
        terminal.print("")
        terminal.print("No secret is given out before it is known to work. Next: keyover recover --all")
    }
}
