import FuzzSupport
import KeyoverCore

@testable import KeyoverEngine

// The file of an audit log. The letter that an input begins with says what the rest is:
//   r  the file as it is, but for a long run of one letter
//   c  entries, one a line, each put into a line that is chained as it should be: reaches what lies behind the chain
//   h  the text of a head
private let target = FuzzTarget(seeds: AuditScenario.seeds) { bytes in
    var input = FuzzInput(bytes)
    switch input.letter() {
    case "r": return readFile(expand(&input))
    case "c": return readEntries(input.rest.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) })
    case "h": return readHead(String(decoding: input.rest, as: UTF8.self))
    default: return .refused
    }
}

/// Once in an input a zero and the next byte become so many kilobytes, for lines and files beyond what is read at once.
private func expand(_ input: inout FuzzInput) -> [UInt8] {
    var file = Array(input.piece(upTo: 0))
    guard !input.rest.isEmpty else { return file }
    file += [UInt8](repeating: UInt8(ascii: "a"), count: Int(input.byte()) << 10)
    return file + input.rest
}

private func readFile(_ file: [UInt8]) -> FuzzTarget.Outcome {
    let log = LogFile.shared
    log.write(file)
    let found = log.verify()
    // The chain is a function of key, host and entries, so the only authentic lines are those of the scenario.
    let genuine = AuditScenario.lines.prefix(Int(clamping: found.count))
    require(Int(found.count) == genuine.count, "lines were accepted that nobody wrote")
    require(found.head == AuditScenario.heads[genuine.count], "a head was accepted that nobody wrote")
    require(file.starts(with: genuine.joined()), "lines were accepted that are not in the file")
    let length = genuine.joined().count
    if found.isWhole { require(file.count == length + found.unfinishedBytes, "bytes were passed over") }
    if let fault = found.firstFault {
        requireFit(fault.description)
        require(fault.line == found.count + 1, "the fault lies elsewhere than in the next line")
    }
    checkTail(log, found)
    checkAppend(log, file, found)
    return found.isWhole && found.count > 0 ? .accepted : .refused
}

/// The end of the log alone is enough to go on from, and no line is found where there is none.
private func checkTail(_ log: LogFile, _ found: AuditVerification) {
    let head = log.head()
    if found.isWhole { require(head == found.head, "head and chain end differently") }
    if let head { require(AuditScenario.heads.contains(head), "a head was found that nobody wrote") }
    for number in 1...3 {
        let line = log.line(numbered: UInt64(number))
        if let line { require(line.number == number, "line \(line.number) was found for line \(number)") }
        if found.isWhole {
            let expected = number <= Int(found.count) ? AuditScenario.heads[number] : nil
            require(line?.head == expected, "line \(number) is where it is not, or is not found")
        }
    }
}

/// An append continues a good end, mends an unfinished one, and touches nothing where the end is not authentic.
private func checkAppend(_ log: LogFile, _ file: [UInt8], _ found: AuditVerification) {
    let hasAppended = log.append(AuditScenario.extra)
    if found.isWhole {
        require(hasAppended, "a good log takes no entry")
        let after = log.verify()
        let mended: UInt64 = found.unfinishedBytes > 0 ? 1 : 0
        require(after.isWhole && after.count == found.count + mended + 1, "an append has broken the log")
    } else if !hasAppended {
        require(log.bytes() == file, "a refused append has changed the log")
    }
}

private func readEntries(_ entries: [[UInt8]]) -> FuzzTarget.Outcome {
    let log = LogFile.shared
    var head = AuditHead.empty
    var file: [UInt8] = []
    for entry in entries {
        let line = AuditScenario.chain.line(after: head, entry)
        require(AuditLine(line.bytes[...]).map { $0.entry.elementsEqual(entry) } ?? entry.isEmpty, "a line is lost")
        head = line.head
        file += line.bytes + [10]
    }
    log.write(file)
    let readable = entries.prefix { AuditEncoding.subject(from: $0[...]) != nil }
    let found = log.verify()
    require(found.count == UInt64(readable.count), "\(found.count) of \(readable.count) entries were counted")
    require(found.isWhole == (readable.count == entries.count), "a log is whole where it is not")
    let shown = log.entries()
    let decoded = entries.compactMap { AuditEncoding.entry(from: $0[...]) }
    require(shown == decoded, "the reader shows other entries than those in the lines")
    for entry in decoded {
        let written = must("encode an entry") { () throws(AuditError) in try AuditEncoding.bytes(of: entry) }
        require(written.count <= AuditLine.limit, "an entry is longer than a line")
        require(AuditEncoding.identity(from: written[...]) == AuditIdentity(entry), "an entry has lost its identity")
    }
    for gap in found.discontinuities {
        require(gap.missing.allSatisfy { $0.upperBound < gap.highest }, "a gap lies behind the highest number")
    }
    return found.isWhole ? .accepted : .refused
}

private func readHead(_ text: String) -> FuzzTarget.Outcome {
    guard let head = AuditHead(text) else { return .refused }
    require("\(head)" == text, "a head has a second spelling")
    return .accepted
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
