import FoundationEssentials
import KeyoverCore

/// The JSON that is sent, written byte by byte, so that no secret becomes text of its own on the way.
struct KVBody {
    private var members: [UInt8] = []

    /// The object.
    var bytes: [UInt8] { [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")] }

    /// Adds a text.
    mutating func add(_ name: String, _ text: String) {
        begin(name)
        append(quoted: text.utf8)
    }

    /// Adds a secret that is text.
    mutating func add(_ name: String, _ secret: SecretValue) {
        begin(name)
        secret.withUnsafeSecretBytes { append(quoted: $0) }
    }

    /// Adds a number.
    mutating func add(_ name: String, _ number: Int) {
        begin(name)
        members += Array("\(number)".utf8)
    }

    /// Adds numbers.
    mutating func add(_ name: String, _ numbers: [Int]) {
        begin(name)
        members += Array("[\(numbers.map(String.init).joined(separator: ","))]".utf8)
    }

    /// Adds an object.
    mutating func add(_ name: String, _ object: KVBody) {
        begin(name)
        members += object.bytes
    }

    private mutating func begin(_ name: String) {
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        append(quoted: name.utf8)
        members.append(UInt8(ascii: ":"))
    }

    private mutating func append(quoted text: some Collection<UInt8>) {
        members.reserveCapacity(members.count + text.count + 2)
        members.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): members += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: members += Array("\\u00\(Hex.encode([byte]))".utf8)
            default: members.append(byte)
            }
        }
        members.append(UInt8(ascii: "\""))
    }
}

/// What an entry consists of, in the words that lie in the server.
struct KVFields {
    /// The field with the sealed blob, in Base64.
    static let record = "keyover_record"
    /// The field that stands alone in an entry that Keyover has removed.
    static let removed = "keyover_removed"

    /// The fields of an entry.
    static func body(of entry: Entry) -> KVBody {
        var fields = KVBody()
        if let published = entry.published {
            fields.add("client_id", published.clientID)
            if published.secret.isText {
                fields.add("client_secret", published.secret)
            } else {
                fields.add(
                    "client_secret_base64", published.secret.withUnsafeSecretBytes { Data($0) }.base64EncodedString())
            }
            fields.add("generation", "\(published.generation)")
            if let tokenURL = published.tokenURL { fields.add("token_url", tokenURL) }
        }
        fields.add(record, Data(entry.bytes).base64EncodedString())
        return fields
    }

    /// The fields of what stands for an entry that was removed.
    static var removal: KVBody {
        var fields = KVBody()
        fields.add(removed, "true")
        return fields
    }
}

extension SecretValue {
    /// Whether the bytes are UTF-8, which alone JSON can carry as they are.
    var isText: Bool {
        withUnsafeSecretBytes { String(validating: $0, as: UTF8.self) != nil }
    }
}
