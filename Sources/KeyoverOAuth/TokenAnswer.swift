import KeyoverCore

/// The successful answer of RFC 6749 section 5.1, with what it tolerates and what it does not.
struct TokenAnswer: Decodable {
    /// The longest lifetime that is believed; a longer one is cut to it.
    private static let longestLifetime = TimeSpan.days(3650)

    var accessToken: String
    var tokenType: String
    var expiresIn: TimeSpan?
    var scopes: [String]?

    /// Which member makes the answer no token.
    struct Objection: Error {
        let reason: String
    }

    private enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case scope
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String {
            guard let text = try? container.decode(String.self, forKey: key), !text.isEmpty else {
                throw Objection(reason: "it has no \(key.rawValue)")
            }
            // What goes into a header later must not be able to end it (RFC 6749 appendix A).
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Objection(reason: "its \(key.rawValue) has characters that none may have")
            }
            return text
        }
        accessToken = try text(.accessToken)
        tokenType = try text(.tokenType)
        expiresIn = try Self.lifetime(in: container)
        if container.contains(.scope), try !container.decodeNil(forKey: .scope) {
            guard let scope = try? container.decode(String.self, forKey: .scope) else {
                throw Objection(reason: "its scope is no text")
            }
            scopes = scope.split(separator: " ").map(String.init)
        }
    }

    private static func lifetime(in container: KeyedDecodingContainer<CodingKeys>) throws -> TimeSpan? {
        guard container.contains(.expiresIn), try !container.decodeNil(forKey: .expiresIn) else { return nil }
        let text = try? container.decode(String.self, forKey: .expiresIn)
        let number = try text.map(Double.init) ?? container.decode(Double.self, forKey: .expiresIn)
        guard let number, number.isFinite, number >= 0 else {
            throw Objection(reason: "its expires_in is no number of seconds")
        }
        return min(.milliseconds(Int64(min(number, 1e12) * 1000)), longestLifetime)
    }
}
