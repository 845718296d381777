import FoundationEssentials
import KeyoverCore
import KeyoverOAuth

/// The server's HTTP interface, for setting up and for doing what somebody else than Keyover does.
public struct OpenBaoAPI: Sendable {
    /// A method.
    public enum Method: Sendable {
        /// Reads.
        case get
        /// Does something.
        case post
        /// Replaces.
        case put
        /// Removes.
        case delete

        fileprivate var known: HTTPCall.Method {
            switch self {
            case .get: .get
            case .post: .post
            case .put: .put
            case .delete: .delete
            }
        }
    }

    /// An answer.
    public struct Answer: Sendable {
        /// The status code.
        public let status: Int
        /// The body.
        public let body: [UInt8]

        /// A value in the body, by the names on the way to it.
        public subscript(_ path: String...) -> JSON? {
            let whole = try? JSONDecoder().decode(JSON.self, from: Data(body))
            return path.reduce(whole) { $0?[$1] }
        }
    }

    let address: String
    let caFile: String
    /// Who calls.
    public var token: String?
    /// The namespace.
    public var namespace: String?

    /// One call, whatever comes of it.
    public func call(_ method: Method, _ path: String, _ body: String? = nil) async throws -> Answer {
        let url = try EndpointURL("\(address)/v1/\(path)")
        var headers: [(name: String, value: String)] = []
        if let token { headers.append(("X-Vault-Token", token)) }
        if let namespace { headers.append(("X-Vault-Namespace", namespace)) }
        let call = HTTPCall(method.known, url, headers: headers, body: body.map { Array($0.utf8) })
        let limits = HTTPLimits(bodyBytes: 16 << 20, jsonDepth: 16, total: .seconds(10))
        let answer = try await BoundedHTTP(caFile: caFile).send(call, limits: limits)
        return Answer(status: answer.status, body: answer.body)
    }

    /// One call that has to succeed.
    @discardableResult
    public func must(_ method: Method, _ path: String, _ body: String? = nil) async throws -> Answer {
        let answer = try await call(method, path, body)
        guard (200..<300).contains(answer.status) else {
            throw ServerTrouble("\(path): \(answer.status) \(String(decoding: answer.body.prefix(500), as: UTF8.self))")
        }
        return answer
    }
}

/// Any JSON.
public enum JSON: Decodable, Sendable {
    /// A text.
    case text(String)
    /// A number.
    case number(Double)
    /// True or false.
    case flag(Bool)
    /// A list.
    case list([JSON])
    /// An object.
    case object([String: JSON])
    /// Nothing.
    case null

    /// Reads any JSON.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .list(value)
        } else if let value = try? container.decode([String: JSON].self) {
            self = .object(value)
        } else {
            self = .null
        }
    }

    /// The member of an object.
    public subscript(_ name: String) -> JSON? {
        if case .object(let members) = self { return members[name] }
        return nil
    }

    /// The text, when it is one.
    public var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    /// The number, when it is one.
    public var number: Int? {
        if case .number(let number) = self { return Int(number) }
        return nil
    }

    /// Whether it is `true`.
    public var isTrue: Bool {
        if case .flag(true) = self { return true }
        return false
    }

    /// The members of an object.
    public var members: [String: JSON] {
        if case .object(let members) = self { return members }
        return [:]
    }

    /// The items of a list.
    public var items: [JSON] {
        if case .list(let items) = self { return items }
        return []
    }
}
