import FoundationEssentials

// The messages of etcd's JSON gateway: bytes are base64, 64-bit numbers are text, and what is zero or false is left out.

/// A 64-bit number as the gateway writes it.
struct EtcdInteger: Codable, Hashable, Sendable {
    let value: Int64

    init(_ value: Int64) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Int64(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a number")
        }
        self.value = value
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(value))
    }
}

/// What comes with every answer.
struct EtcdHeader: Decodable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case cluster = "cluster_id"
        case revision
    }

    let cluster: String?
    let revision: EtcdInteger?
}

/// A key with its value.
struct EtcdKeyValue: Decodable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case key, value
        case modRevision = "mod_revision"
    }

    let key: Data
    let value: Data?
    let modRevision: EtcdInteger
}

/// Asks for keys and values.
struct EtcdRangeRequest: Encodable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case key, limit, revision, serializable
        case rangeEnd = "range_end"
        case keysOnly = "keys_only"
    }

    var key: Data
    var rangeEnd: Data?
    var limit: EtcdInteger?
    var revision: EtcdInteger?
    var serializable: Bool?
    var keysOnly: Bool?
}

/// Keys and values.
struct EtcdRangeAnswer: Decodable, Sendable {
    let header: EtcdHeader
    let kvs: [EtcdKeyValue]?
    let more: Bool?
}

/// Changes one key when others are as expected.
struct EtcdTransaction: Encodable, Sendable {
    /// Demands a key's revision; zero where there must be no such key.
    struct Comparison: Encodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case key, target, result
            case modRevision = "mod_revision"
        }

        let key: Data
        let target = "MOD"
        let result = "EQUAL"
        let modRevision: EtcdInteger

        init(_ key: [UInt8], _ revision: Int64) {
            self.key = Data(key)
            modRevision = EtcdInteger(revision)
        }
    }

    /// One step.
    struct Operation: Encodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case put = "request_put"
            case delete = "request_delete_range"
            case range = "request_range"
        }

        struct Put: Encodable, Sendable {
            let key: Data
            let value: Data
        }

        struct Delete: Encodable, Sendable {
            let key: Data
        }

        var put: Put?
        var delete: Delete?
        var range: EtcdRangeRequest?
    }

    var compare: [Comparison]
    var success: [Operation]
    var failure: [Operation]
}

/// What became of a transaction.
struct EtcdTransactionAnswer: Decodable, Sendable {
    struct Response: Decodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case range = "response_range"
        }

        struct Range: Decodable, Sendable {
            let kvs: [EtcdKeyValue]?
        }

        let range: Range?
    }

    let header: EtcdHeader
    let succeeded: Bool?
    let responses: [Response]?
}

/// Signs a user in.
struct EtcdSignIn: Encodable, Sendable {
    let name: String
    let password: String
}

/// The token of a user who signed in.
struct EtcdSignedIn: Decodable, Sendable {
    let token: String
}

/// Asks to be told of changes.
struct EtcdWatchRequest: Encodable, Sendable {
    private enum CodingKeys: String, CodingKey { case create = "create_request" }

    struct Create: Encodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case key, filters, fragment
            case rangeEnd = "range_end"
            case startRevision = "start_revision"
        }

        let key: Data
        let rangeEnd: Data
        let startRevision: EtcdInteger
        let filters = ["NODELETE"]
        let fragment = true
    }

    let create: Create
}

/// One line of what a watch tells.
struct EtcdWatchLine: Decodable, Sendable {
    struct Event: Decodable, Sendable {
        let kv: EtcdKeyValue?
    }

    struct Result: Decodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case header, created, canceled, events, fragment
            case compactRevision = "compact_revision"
        }

        let header: EtcdHeader?
        let created: Bool?
        let canceled: Bool?
        let events: [Event]?
        let fragment: Bool?
        let compactRevision: EtcdInteger?
    }

    let result: Result?
}
