/// A name that people type and scripts pass: 1 to 128 of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit.
///
/// No slash, no space, no percent sign, no `..`: a name is safe in a path, a URL and a log line, and two names that look
/// alike are alike. `Subject` only keeps names of clients, tenants and consumers apart.
public struct Name<Subject>: Hashable, Comparable, Sendable, LosslessStringConvertible {
    private let text: String

    /// The checked name, or `nil` when the text breaks a rule of the type.
    public init?(_ description: String) {
        let bytes = description.utf8
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard (1...128).contains(bytes.count), bytes.first.map(isAlphanumeric) == true,
            bytes.allSatisfy({ isAlphanumeric($0) || $0 == 46 || $0 == 95 || $0 == 45 }),
            !zip(bytes, bytes.dropFirst()).contains(where: { $0 == 46 && $1 == 46 })
        else { return nil }
        text = description
    }

    /// The name as it was typed.
    public var description: String { text }

    /// Orders names by their bytes.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

extension Name: Codable {
    /// Reads a string and checks it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a valid name")
        }
        self = name
    }

    /// Writes the plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// The name of a client, such as `billing-sync`.
public typealias ClientName = Name<ClientRecord>
/// The name of a tenant, such as `genesys-prod`.
public typealias TenantName = Name<TenantRecord>
/// The name of a consumer, such as `web-1`.
public typealias ConsumerName = Name<LedgerEntry>
