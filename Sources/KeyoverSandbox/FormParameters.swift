import FoundationEssentials

/// The parameters of a body of type application/x-www-form-urlencoded.
struct FormParameters: Sendable {
    private let values: [String: String]

    /// Reads a body; throws where it is not well-formed or names a parameter twice (RFC 6749, section 3.2).
    init(_ body: some Collection<UInt8>) throws(OAuthRefusal) {
        var values: [String: String] = [:]
        for pair in body.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = formDecoded(parts[0]),
                let value = formDecoded(parts.count > 1 ? parts[1] : parts[0].prefix(0))
            else { throw .invalidRequest("the body is not form-encoded") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .invalidRequest("a parameter occurs twice")
            }
        }
        self.values = values
    }

    /// The parameter's value; one without a value counts as left out (RFC 6749, section 3.1).
    subscript(name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A client's identifier and secret, as it presented them.
struct ClientCredentials: Sendable {
    let clientID: String
    let secret: [UInt8]

    /// Takes the credentials from the Authorization header or from the body, never from both (RFC 6749, section 2.3).
    init(authorization: String?, parameters: FormParameters) throws(OAuthRefusal) {
        if let authorization {
            guard parameters["client_secret"] == nil else {
                throw .invalidRequest("the client authenticates in more than one way")
            }
            guard let credentials = Self(basic: authorization) else {
                throw .invalidClient("the Authorization header holds no Basic credentials")
            }
            guard parameters["client_id"] == nil || parameters["client_id"] == credentials.clientID else {
                throw .invalidRequest("two different client identifiers")
            }
            self = credentials
        } else {
            guard let clientID = parameters["client_id"], let secret = parameters["client_secret"] else {
                throw .invalidClient("the client does not authenticate")
            }
            self.init(clientID: clientID, secret: Array(secret.utf8))
        }
    }

    private init(clientID: String, secret: [UInt8]) {
        self.clientID = clientID
        self.secret = secret
    }

    /// Reads `Basic`, whose two halves are form-encoded before they are joined (RFC 6749, section 2.3.1).
    private init?(basic header: String) {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let pair = Data(base64Encoded: String(parts[1])),
            let colon = pair.firstIndex(of: UInt8(ascii: ":")),
            let clientID = formDecoded(pair[..<colon]), let secret = formDecoded(pair[(colon + 1)...]),
            !clientID.isEmpty, !secret.isEmpty
        else { return nil }
        self.init(clientID: clientID, secret: Array(secret.utf8))
    }
}

/// Undoes form-encoding; nil for a broken escape or for what is not UTF-8.
func formDecoded(_ bytes: some Collection<UInt8>) -> String? {
    percentDecoded(bytes, plusIsSpace: true)
}

/// Undoes percent-encoding; nil for a broken escape or for what is not UTF-8.
func percentDecoded(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
        switch byte {
        case UInt8(ascii: "+") where plusIsSpace:
            decoded.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            guard let high = rest.next().flatMap(hexadecimalDigit), let low = rest.next().flatMap(hexadecimalDigit)
            else { return nil }
            decoded.append(high << 4 | low)
        default:
            decoded.append(byte)
        }
    }
    return String(validating: decoded, as: UTF8.self)
}

private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
}
