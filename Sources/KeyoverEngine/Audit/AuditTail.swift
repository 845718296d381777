import Glibc
import KeyoverCore

/// Reading an audit log from its end.
enum AuditTail {
    /// The head of the log, and the offset behind its last complete line.
    ///
    /// Only the last line is checked against the key: the whole chain is `AuditVerifier`'s business.
    static func head(
        of file: borrowing AuditFile, _ chain: AuditChain
    ) throws(AuditError) -> (head: AuditHead, end: Int64) {
        let size = file.size
        // Room for one complete line and for one that was not finished.
        let start = max(0, size - Int64(2 * (AuditLine.limit + 1)))
        let bytes = try file.read(start..<size)
        guard let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
            guard size <= AuditLine.limit else { throw .notALog(file.path) }
            return (.empty, 0)
        }
        let last = bytes[..<newline]
        let lineStart = last.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard lineStart > 0 || start == 0, newline - lineStart <= AuditLine.limit else { throw .notALog(file.path) }
        guard let line = AuditLine(bytes[lineStart..<newline]), chain.isAuthentic(line) else {
            throw AuditError(
                .brokenChain, "the last line of \(file.path) was changed, or was written under another vault's key",
                remedy: "run keyover log --verify; keep the file as evidence and move it away to start a new one")
        }
        return (line.head, start + Int64(newline) + 1)
    }

    /// The complete lines in the bytes, without newlines.
    static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        return bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    /// Whether the word is in the line; a mebibyte of lines is searched by every command, so this has to be quick.
    static func find(_ word: [UInt8], in line: ArraySlice<UInt8>) -> Bool {
        guard let first = word.first else { return true }
        return line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while rest.count >= word.count, let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                let found = memchr(start, Int32(first), rest.count - word.count + 1)
            {
                if memcmp(found, word, word.count) == 0 { return true }
                rest = rest.dropFirst(found - UnsafeMutableRawPointer(mutating: start) + 1)
            }
            return false
        }
    }

    /// The line of a number, found by halving, or `nil` when there is no such line where it should be.
    static func line(numbered number: UInt64, in file: borrowing AuditFile) throws(AuditError) -> AuditLine? {
        var (low, high) = (Int64(0), file.size)
        while low < high {
            let middle = low + (high - low) / 2
            // The first line that begins at or behind the middle; behind `low` there always begins one.
            let room = Int64(2 * (AuditLine.limit + 1))
            let from = max(0, middle - 1)
            let bytes = try file.read(from..<min(file.size, from + room))
            var start = bytes.startIndex
            if middle > 0 {
                start = bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.endIndex
            }
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                // No line ends behind the middle, as far as the longest one reaches.
                high = middle
                continue
            }
            guard let line = AuditLine(bytes[start..<end]) else { return nil }
            if line.number == number { return line }
            if line.number < number {
                low = from + Int64(end) + 1
            } else {
                high = middle
            }
        }
        return nil
    }
}

extension AuditError {
    static func broken(_ path: String, line: UInt64) -> AuditError {
        AuditError(
            .brokenChain, "line \(line) of \(path) was changed, or was written under another vault's key",
            remedy: "run keyover log --verify; keep the file as evidence and move it away to start a new one")
    }

    static func cutShort(_ path: String, to count: UInt64, from known: UInt64) -> AuditError {
        AuditError(
            .brokenChain, "\(path) was cut short: it has \(count) lines, and there were \(known)",
            remedy: "run keyover log --verify; keep the file as evidence and move it away to start a new one")
    }

    static func notALog(_ path: String) -> AuditError {
        AuditError(
            .brokenChain, "\(path) does not end like an audit log", remedy: "move it away to start a new one")
    }
}
