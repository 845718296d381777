import Crypto
import KeyoverCore

/// The header of an age file: version line, stanzas, MAC line; parsed so strictly that it has one spelling only.
struct AgeHeader {
    static let version = Array("age-encryption.org/v1".utf8)
    private static let newline = UInt8(ascii: "\n")
    private static let columns = 64

    var stanzas: [AgeStanza]
    private(set) var mac: [UInt8]
    /// All that the MAC covers: everything up to and including the three dashes.
    private var covered: [UInt8]

    /// A header of stanzas, authenticated by the file key.
    init(_ stanzas: [AgeStanza], fileKey: SecretValue) {
        self.stanzas = stanzas
        covered = Self.version + [Self.newline]
        for stanza in stanzas {
            covered += Array(("-> " + ([stanza.type] + stanza.arguments).joined(separator: " ")).utf8) + [Self.newline]
            var body = StrictBase64.encode(stanza.body)[...]
            while body.count >= Self.columns {
                covered += body.prefix(Self.columns) + [Self.newline]
                body = body.dropFirst(Self.columns)
            }
            covered += body + [Self.newline]
        }
        covered += Array("---".utf8)
        mac = Self.authenticate(covered, fileKey)
    }

    /// The header's bytes.
    var bytes: [UInt8] { covered + Array(" ".utf8) + StrictBase64.encode(mac) + [Self.newline] }

    /// Whether the header was written by somebody who has the file key.
    func isAuthentic(fileKey: SecretValue) -> Bool {
        Primitives.areEqual(Self.authenticate(covered, fileKey), mac)
    }

    /// Reads a header from the beginning of a file and says where the payload begins.
    static func parse(_ file: [UInt8]) throws(AgeError) -> (header: AgeHeader, payload: Int) {
        var reader = LineReader(bytes: file)
        guard try reader.next().elementsEqual(version) else {
            throw AgeError(.header, "not an age v1 file")
        }
        var stanzas: [AgeStanza] = []
        while true {
            let start = reader.position
            let line = try reader.next()
            if line.starts(with: Array("---".utf8)) {
                guard line.count == 47, line.dropFirst(3).first == UInt8(ascii: " "),
                    let mac = StrictBase64.decode(line.dropFirst(4)), mac.count == 32, !stanzas.isEmpty
                else { throw AgeError(.header, "the MAC line is malformed") }
                let header = AgeHeader(stanzas: stanzas, mac: mac, covered: Array(file[..<(start + 3)]))
                return (header, reader.position)
            }
            stanzas.append(try stanza(openedBy: line, &reader))
        }
    }

    private init(stanzas: [AgeStanza], mac: [UInt8], covered: [UInt8]) {
        self.stanzas = stanzas
        self.mac = mac
        self.covered = covered
    }

    private static func stanza(
        openedBy line: ArraySlice<UInt8>, _ reader: inout LineReader
    ) throws(AgeError) -> AgeStanza {
        guard line.starts(with: Array("-> ".utf8)) else { throw AgeError(.header, "a stanza begins wrongly") }
        let words = line.dropFirst(3).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (33...126).contains($0) } }),
            let type = words.first
        else { throw AgeError(.header, "a stanza has a malformed argument") }
        var digits: [UInt8] = []
        while true {
            let bodyLine = try reader.next()
            guard bodyLine.count <= columns else { throw AgeError(.header, "a stanza's line is too long") }
            digits += bodyLine
            if bodyLine.count < columns { break }
        }
        guard let body = StrictBase64.decode(digits) else { throw AgeError(.header, "a stanza's body is malformed") }
        return AgeStanza(
            type: String(decoding: type, as: UTF8.self),
            arguments: words.dropFirst().map { String(decoding: $0, as: UTF8.self) }, body: body)
    }

    private static func authenticate(_ bytes: [UInt8], _ fileKey: SecretValue) -> [UInt8] {
        let key = Primitives.derive(fileKey, salt: [], info: Array("header".utf8), count: 32)
        return Primitives.authenticate(bytes, with: key)
    }
}

/// Lines that end with a line feed, within the first mebibyte.
private struct LineReader {
    static let limit = 1 << 20

    let bytes: [UInt8]
    private(set) var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func next() throws(AgeError) -> ArraySlice<UInt8> {
        let rest = bytes[position..<min(bytes.count, Self.limit)]
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            throw AgeError(.header, "the header is cut short")
        }
        position = end + 1
        return rest[..<end]
    }
}
