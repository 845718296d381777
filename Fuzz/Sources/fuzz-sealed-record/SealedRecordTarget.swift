import FuzzSupport
import KeyoverCore

@testable import KeyoverSealing

// The rows of a vault that somebody else may have changed. The letter that an input begins with says what the rest is:
//   r  all rows of a database, as they are
//   m  the metadata of a client, sealed as it should be: reaches what lies behind the seal
//   v  the payload of a client's row, which everything vouches for
//   o  the plaintext of the sealed root      l  that of a ledger entry
//   n  a node of the tree, and a transcript  k  the text of a key file
//   b  the archive inside a backup
private let target = FuzzTarget(seeds: Scenario.seeds) { bytes in
    var input = FuzzInput(bytes)
    let letter = input.letter()
    let rest = Array(input.rest)
    switch letter {
    case "r": return readRows(rest)
    case "m": return openMetadata(rest)
    case "v": return openPayload(rest)
    case "o": return openRoot(rest)
    case "l": return openLedgerEntry(rest)
    case "n": return readNode(rest)
    case "k": return readKeyFile(rest)
    case "b": return Backup.read(rest)
    default: return .refused
    }
}

private func readRows(_ bytes: [UInt8]) -> FuzzTarget.Outcome {
    guard let rows = TableRows(bytes: bytes),
        let reader = attempt({ () throws(VaultError) in try VaultReader(rows, Scenario.keyring, notOlderThan: nil) })
    else { return .refused }
    let genuine = must("state that was sealed at \(reader.root.mark)", Scenario.states[reader.root.mark.counter])
    let answers = [
        check(reader, genuine.client, of: Scenario.client), check(reader, genuine.tenant, of: Scenario.tenant),
        checkLedger(reader, genuine.ledger),
    ]
    checkScans(rows, reader, genuine)
    return answers.allSatisfy { $0 == .accepted } ? .accepted : .refused
}

/// A name has its genuine record, or an error; never another answer.
private func check<Record: VaultRecord & Equatable>(
    _ reader: VaultReader<TableRows>, _ genuine: Record?, of name: Name<Record>
) -> FuzzTarget.Outcome {
    guard let found = attempt({ () throws(VaultError) in [try reader.read(name)?.record] }) else { return .refused }
    require(found == [genuine], "\(Record.kind) \(name) has an answer that was never stored at this counter")
    return .accepted
}

private func checkLedger(_ reader: VaultReader<TableRows>, _ genuine: [LedgerEntry]) -> FuzzTarget.Outcome {
    guard let found = attempt({ () throws(VaultError) in try reader.ledger(of: Scenario.client) }) else {
        return .refused
    }
    require(found == genuine, "the ledger has an answer that was never stored at this counter")
    return .accepted
}

/// What reads everything must not let pass what is missing, added or older.
private func checkScans(_ rows: TableRows, _ reader: VaultReader<TableRows>, _ genuine: Scenario.State) {
    var scan = RecordScan(reader)
    let isWhole = attempt { () throws(VaultError) in
        for row in rows.records { try scan.add(row) }
        try scan.finish()
        return true
    }
    if isWhole == true {
        let serials = Set(rows.records.map(\.serial))
        require(rows.records.count == genuine.records && serials == genuine.serials, "a scan let other records pass")
    }
    var check = VaultCheck(reader)
    for row in rows.records { check.add(row) }
    for row in rows.ledger { check.add(row) }
    check.finish(storedNodes: rows.nodes)
    if check.problems.isEmpty { require(isWhole == true, "the check found nothing where the scan did") }
    for problem in check.problems { requireFit(problem) }
}

private func openMetadata(_ json: [UInt8]) -> FuzzTarget.Outcome {
    let row = Scenario.row(metadata: json, payload: [])
    let sealing = RecordSealing(Scenario.keyring)
    require(sealing.isConsistent(row), "a row that was put together rightly is inconsistent")
    guard let record = attempt({ () throws(VaultError) in try sealing.open(row, as: ClientRecord.self) }) else {
        return .refused
    }
    require(record.name == Scenario.client && record.id == Scenario.id, "a record lies in the place of another")
    require(record.secrets.isEmpty, "a value comes from nowhere")
    return .accepted
}

private func openPayload(_ payload: [UInt8]) -> FuzzTarget.Outcome {
    let row = Scenario.row(metadata: Scenario.metadata, payload: payload)
    let sealing = RecordSealing(Scenario.keyring)
    guard let record = attempt({ () throws(VaultError) in try sealing.open(row, as: ClientRecord.self) }) else {
        return .refused
    }
    for value in record.secrets.values { require(value == Scenario.value, "a value was opened that nobody sealed") }
    return .accepted
}

private func openRoot(_ plaintext: [UInt8]) -> FuzzTarget.Outcome {
    let rows = TableRows(vault: Scenario.vaultRow(root: plaintext, counter: 3))
    guard let reader = attempt({ () throws(VaultError) in try VaultReader(rows, Scenario.keyring, notOlderThan: nil) })
    else { return .refused }
    // Nothing is in the tables, so nothing but a proof of absence can come of it.
    if let found = attempt({ () throws(VaultError) in [try reader.read(Scenario.client)] }) {
        require(found.allSatisfy { $0 == nil }, "a record comes from nowhere")
    }
    var check = VaultCheck(reader)
    check.finish(storedNodes: [:])
    return .accepted
}

private func openLedgerEntry(_ json: [UInt8]) -> FuzzTarget.Outcome {
    let ledger = LedgerSealing(Scenario.keyring)
    let row = Scenario.ledgerRow(json)
    guard let entry = attempt({ () throws(VaultError) in try ledger.open(row) }) else { return .refused }
    let again = must("seal an entry") { () throws(VaultError) in
        try ledger.seal(entry, client: row.client, serial: 9)
    }
    require(must("open an entry") { () throws(VaultError) in try ledger.open(again) } == entry, "an entry has changed")
    _ = entry.merged(with: Scenario.report)
    return .accepted
}

private func readNode(_ bytes: [UInt8]) -> FuzzTarget.Outcome {
    var outcome = FuzzTarget.Outcome.refused
    if let node = TreeNode(bytes: bytes) {
        var again = TreeNode()
        for position in (UInt8.min...UInt8.max).reversed() { again[position] = node[position] }
        require(again == node && node.bytes == bytes, "a node has a second spelling")
        outcome = .accepted
    }
    if let fields = Transcript.fields(of: bytes) {
        var again = Transcript()
        for field in fields { again.append(field) }
        require(again.bytes == bytes, "a transcript has a second spelling")
        outcome = .accepted
    }
    return outcome
}

private func readKeyFile(_ text: [UInt8]) -> FuzzTarget.Outcome {
    let file = attempt { () throws(VaultError) in try KeyFile(parsing: SecretValue(copying: text)) }
    guard let file else { return .refused }
    let written = file.encoded()
    let again = must("read a key file") { () throws(VaultError) in try KeyFile(parsing: written) }
    require(again.encoded() == written && again.access == file.access, "a key file changes when it is written")
    return .accepted
}

/// The result, or `nil` when it is refused with an error that is fit to be shown.
private func attempt<Result>(_ body: () throws(VaultError) -> Result) -> Result? {
    do throws(VaultError) {
        return try body()
    } catch {
        requireFit(error.message)
        let refusals: Set<VaultError.Code> = [.notTrusted, .corrupt, .newerFormat, .tooLarge]
        require(refusals.contains(error.code), "refused with \(error.code)")
        return nil
    }
}

/// Called by libFuzzer once.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    target.prepare()
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(start, count)
}
