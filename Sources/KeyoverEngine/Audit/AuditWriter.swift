import KeyoverCore

/// What one process knows of its host's audit log, and how it adds to it; every call may block.
struct AuditWriter: Sendable {
    /// How far back a process looks for entries that an earlier one may have written.
    static let window: Int64 = 1 << 20
    /// How many identities are kept in mind before they are forgotten and looked up anew.
    private static let memory = 50_000

    let location: AuditFile.Location
    let chain: AuditChain

    /// The end of the log as it was last seen, and the entries seen there.
    private struct Known {
        var identity: FileIdentity
        var size: Int64
        var head: AuditHead
        /// By record, the number from which on its entries within the window are all in `entries`.
        var recalled: [UUIDv7: UInt64] = [:]
        var entries: Set<AuditIdentity> = []
    }

    private var known: Known?

    init(location: AuditFile.Location, chain: AuditChain) {
        self.location = location
        self.chain = chain
    }

    /// Appends what is not there yet, under the file's lock.
    ///
    /// - Parameter note: Makes the entry about a repair, given line number and the count of bytes cut off.
    mutating func append(
        _ entries: [AuditEntry], before deadline: Deadline, note: (UInt64, Int64) -> AuditEntry?
    ) throws(AuditError) {
        let file = try AuditFile(appendingTo: location, before: deadline)
        var lines: [UInt8] = []
        do {
            var now = try catchUp(file)
            if let unfinished = try repair(file, now), let entry = note(now.head.count + 1, unfinished) {
                try add(entry, to: &now, &lines)
            }
            for entry in entries {
                try recall(entry, file, &now)
                if !now.entries.contains(AuditIdentity(entry)) { try add(entry, to: &now, &lines) }
            }
            if !lines.isEmpty { try file.append(lines) }
            now.size += Int64(lines.count)
            known = now
        } catch {
            // What a failed write left is looked up anew; what was there before it must still be there.
            known?.size = .max
            throw error
        }
    }

    private func add(_ entry: AuditEntry, to now: inout Known, _ lines: inout [UInt8]) throws(AuditError) {
        let line = chain.line(after: now.head, try AuditEncoding.bytes(of: entry))
        lines += line.bytes
        lines.append(UInt8(ascii: "\n"))
        now.head = line.head
        now.entries.insert(AuditIdentity(entry))
    }

    /// The end of the log, by way of what others have added since this process last looked.
    private func catchUp(_ file: borrowing AuditFile) throws(AuditError) -> Known {
        let size = file.size
        guard var now = known, now.identity == file.identity, now.size <= size, size - now.size <= Self.window,
            now.entries.count <= Self.memory
        else {
            let (head, end) = try AuditTail.head(of: file, chain)
            if let known, known.identity == file.identity, head.count < known.head.count {
                throw .cutShort(file.path, to: head.count, from: known.head.count)
            }
            return Known(identity: file.identity, size: end, head: head)
        }
        guard size > now.size else { return now }
        for line in AuditTail.lines(try file.read(now.size..<size)) {
            guard let parsed = AuditLine(line), parsed.number == now.head.count + 1, parsed.previous == now.head.mac,
                chain.isAuthentic(parsed)
            else { throw .broken(file.path, line: now.head.count + 1) }
            now.head = parsed.head
            now.size += Int64(line.count) + 1
            if let identity = AuditEncoding.identity(from: parsed.entry) { now.entries.insert(identity) }
        }
        return now
    }

    /// Cuts off what a crash left behind the last newline; answers how many bytes that were.
    private func repair(_ file: borrowing AuditFile, _ now: Known) throws(AuditError) -> Int64? {
        let unfinished = file.size - now.size
        guard unfinished > 0 else { return nil }
        try file.truncate(to: now.size)
        return unfinished
    }

    /// Finds what is near the end of the log of an entry's record, from that entry's number on.
    ///
    /// A record's entries are appended in order, so going backward the first lower number ends the search.
    private func recall(_ entry: AuditEntry, _ file: borrowing AuditFile, _ now: inout Known) throws(AuditError) {
        if let start = now.recalled[entry.record], start <= entry.sequence { return }
        now.recalled[entry.record] = entry.sequence
        let word = Array(entry.record.description.utf8)
        for line in AuditTail.lines(try file.read(max(0, now.size - Self.window)..<now.size)).reversed() {
            guard AuditTail.find(word, in: line), let parsed = AuditLine(line),
                let identity = AuditEncoding.identity(from: parsed.entry), identity.record == entry.record
            else { continue }
            if identity.sequence < entry.sequence { return }
            now.entries.insert(identity)
        }
    }
}
