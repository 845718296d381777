internal import Crypto
import KeyoverCore

/// One line of an audit log: `{"n":17,"prev":"<hex>","entry":{...},"mac":"<hex>"}`.
///
/// The layout is fixed to the byte. What is authenticated are the bytes of the entry as they stand in the line, so no
/// two readers can differ about them.
struct AuditLine {
    /// The longest line without its newline.
    static let limit = 64 << 10

    let number: UInt64
    let previous: String
    let entry: ArraySlice<UInt8>
    let mac: String

    private static let opening = Array(#"{"n":"#.utf8)
    private static let beforePrevious = Array(#","prev":""#.utf8)
    private static let beforeEntry = Array(#"","entry":"#.utf8)
    private static let beforeMAC = Array(#","mac":""#.utf8)
    private static let closing = Array(#""}"#.utf8)
    private static let macLength = 64

    /// Takes a line apart; `nil` when it departs from the layout in any byte.
    init?(_ line: ArraySlice<UInt8>) {
        let head = line.dropFirst(Self.opening.count)
        let digits = head.prefix { (48...57).contains($0) }
        let previous = head.dropFirst(digits.count + Self.beforePrevious.count).prefix(Self.macLength)
        let mac = line.dropLast(Self.closing.count).suffix(Self.macLength)
        let start = previous.endIndex + Self.beforeEntry.count
        let end = mac.startIndex - Self.beforeMAC.count
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)), previous.count == Self.macLength,
            start < end
        else { return nil }
        self.number = number
        self.previous = String(decoding: previous, as: UTF8.self)
        self.mac = String(decoding: mac, as: UTF8.self)
        entry = line[start..<end]
        // Putting it together again is the shortest proof that nothing was skipped.
        guard line.elementsEqual(bytes) else { return nil }
    }

    init(number: UInt64, previous: String, entry: ArraySlice<UInt8>, mac: String) {
        self.number = number
        self.previous = previous
        self.entry = entry
        self.mac = mac
    }

    /// The line as it stands in the file, without its newline.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(entry.count + 256)
        result += Self.opening
        result += String(number).utf8
        result += Self.beforePrevious
        result += previous.utf8
        result += Self.beforeEntry
        result += entry
        result += Self.beforeMAC
        result += mac.utf8
        result += Self.closing
        return result
    }

    var head: AuditHead { AuditHead(count: number, mac: mac) }
}

/// The keyed chain of one host's audit log.
struct AuditChain: Sendable {
    private static let label = Array("keyover audit log v1".utf8)

    /// The key that the vault derives for audit logs.
    let key: SecretValue
    /// The host, so that the log of one host cannot stand in for that of another.
    let host: Name<HostRecord>

    /// The line that follows a head and holds the entry.
    func line(after head: AuditHead, _ entry: [UInt8]) -> AuditLine {
        let number = head.count + 1
        let code = mac(number: number, previous: head.mac, entry: entry[...])
        return AuditLine(number: number, previous: head.mac, entry: entry[...], mac: code)
    }

    /// Whether the line was written by a holder of the key, as this number of this host's log.
    func isAuthentic(_ line: AuditLine) -> Bool {
        let code = mac(number: line.number, previous: line.previous, entry: line.entry).utf8
        // In a time that does not tell how much of a forged code is right.
        return code.count == line.mac.utf8.count && zip(code, line.mac.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func mac(number: UInt64, previous: String, entry: ArraySlice<UInt8>) -> String {
        key.withUnsafeSecretBytes { keyBytes in
            var code = HMAC<SHA256>(key: SymmetricKey(data: keyBytes))
            for part in [Self.label[...], Array(host.description.utf8)[...], Array(String(number).utf8)[...]] {
                Self.update(&code, part)
            }
            Self.update(&code, Array(previous.utf8)[...])
            Self.update(&code, entry)
            return Hex.encode(code.finalize())
        }
    }

    /// Each part goes in behind its length, so that no two lists of parts give the same input.
    private static func update(_ code: inout HMAC<SHA256>, _ part: ArraySlice<UInt8>) {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { code.update(data: $0) }
        part.withUnsafeBytes { code.update(data: $0) }
    }
}
