public import KeyoverCore

/// Checks a host's audit log from its first line to its last: layout, numbering, chain, and what is known of its end.
///
/// Whoever lacks the key cannot change, remove, reorder or add a line unseen. Cutting lines off at the end leaves a
/// valid chain: that is found by a head noted elsewhere, in the vault's ``HostRecord``, in the journal, or in a report.
/// Rolling log and vault back together is not found.
public struct AuditVerifier: Sendable {
    private let location: AuditFile.Location
    private let chain: AuditChain

    /// A verifier of a host's log in a state directory, with the vault's key for ``KeyPurpose/audit``.
    public init(stateDirectory: String, host: Name<HostRecord>, key: SecretValue) {
        location = AuditFile.Location(stateDirectory: stateDirectory, host: host)
        chain = AuditChain(key: key, host: host)
    }

    /// Reads the whole log, with the same memory for any size, and says what is wrong first.
    ///
    /// - Parameters:
    ///   - expected: A head noted earlier; the log must still hold its line.
    ///   - mark: What the vault says about this host, when it says anything.
    public func verify(
        expecting expected: AuditHead? = nil, mark: HostRecord? = nil
    ) async throws(AuditError) -> AuditVerification {
        let result = await BlockingLane("audit.verify").run { [self] in
            Result { () throws(AuditError) in try verifyNow(expecting: expected, mark: mark) }
        }
        return try result.get()
    }

    /// The same on the calling thread.
    func verifyNow(
        expecting expected: AuditHead? = nil, mark: HostRecord? = nil
    ) throws(AuditError) -> AuditVerification {
        var known: [KnownHead] = []
        if let expected { known.append(KnownHead(head: expected, origin: "the expected head")) }
        if let mark {
            let head = AuditHead(count: mark.auditCount, mac: mark.auditHead)
            known.append(KnownHead(head: head, origin: "the vault's mark of this host"))
        }
        let pass = VerifyingPass(chain: chain, known: known)
        guard let file = try AuditFile.reading(location) else { return pass.finish(unfinished: 0) }
        return try Self.run(pass, AuditLineReader(file))
    }

    private static func run(
        _ start: VerifyingPass, _ reader: consuming AuditLineReader
    ) throws(AuditError) -> AuditVerification {
        var pass = start
        // Lines added while this runs are not waited for, else a busy log would never be done.
        let size = reader.fileSize
        while reader.offset < size {
            switch try reader.next() {
            case .line(let bytes):
                if let fault = pass.check(bytes) { return pass.stop(fault) }
            case .tooLong: return pass.stop(pass.fault(.tooLong, "is longer than \(AuditLine.limit) bytes"))
            case .end(let unfinished): return pass.finish(unfinished: unfinished)
            }
        }
        return pass.finish(unfinished: 0)
    }
}

/// A head that is known from elsewhere.
private struct KnownHead {
    let head: AuditHead
    let origin: String
}

/// One walk along a log.
private struct VerifyingPass {
    let chain: AuditChain
    let known: [KnownHead]
    private var result = AuditVerification()
    private var clients: [UUIDv7: AuditVerification.Continuity] = [:]

    init(chain: AuditChain, known: [KnownHead]) {
        self.chain = chain
        self.known = known
    }

    func fault(_ kind: AuditVerification.Fault.Kind, _ what: String) -> AuditVerification.Fault {
        AuditVerification.Fault(kind: kind, line: result.count + 1, description: "line \(result.count + 1) \(what)")
    }

    mutating func check(_ bytes: ArraySlice<UInt8>) -> AuditVerification.Fault? {
        guard let line = AuditLine(bytes) else {
            return fault(.malformed, "is not laid out like a line of an audit log")
        }
        guard line.number == result.count + 1 else {
            return fault(.outOfOrder, "is numbered \(line.number): lines are missing, repeated or out of order")
        }
        guard line.previous == result.head.mac else {
            return fault(.outOfOrder, "does not follow the line before it")
        }
        guard chain.isAuthentic(line) else {
            return fault(.notAuthentic, "was changed, or was written under another vault's key or by another host")
        }
        guard let subject = AuditEncoding.subject(from: line.entry) else {
            return fault(.unreadableEntry, "is authentic but holds no entry that this version can read")
        }
        for known in known where known.head.count == line.number && known.head != line.head {
            return fault(.replaced, "is not the one that \(known.origin) names")
        }
        result.head = line.head
        if subject.record != AuditEntry.logRecord {
            clients[subject.record, default: .init(record: subject.record, client: subject.client)].add(subject)
        }
        return nil
    }

    func stop(_ fault: AuditVerification.Fault) -> AuditVerification {
        var stopped = result
        stopped.firstFault = fault
        stopped.discontinuities = discontinuities
        return stopped
    }

    func finish(unfinished: Int) -> AuditVerification {
        var finished = result
        finished.unfinishedBytes = unfinished
        finished.discontinuities = discontinuities
        if let known = known.filter({ $0.head.count > result.count }).max(by: { $0.head.count < $1.head.count }) {
            finished.firstFault = fault(
                .cutShort, "is missing: the log was cut short, since \(known.origin) counts \(known.head.count) lines")
        }
        return finished
    }

    private var discontinuities: [AuditVerification.Continuity] {
        clients.values.filter { !$0.isContinuous }.sorted { $0.record < $1.record }
    }
}
