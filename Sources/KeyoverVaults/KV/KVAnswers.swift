import KeyoverCore

/// What the server says, of which only this much is read; plain secrets in it are left where they are.
enum KVAnswers {
    /// An answer of the server.
    struct Envelope<Content: Decodable>: Decodable {
        let data: Content?
        let auth: Login?
        let errors: [String]?
    }

    /// Nothing that is of interest.
    struct Nothing: Decodable {}

    /// A token that was given out or renewed.
    struct Login: Decodable {
        let token: String?
        let lease: Int64
        let isRenewable: Bool

        enum CodingKeys: String, CodingKey {
            case token = "client_token"
            case lease = "lease_duration"
            case isRenewable = "renewable"
        }
    }

    /// What a token says of itself.
    struct TokenState: Decodable {
        let left: Int64
        let whole: Int64?
        let isRenewable: Bool?

        enum CodingKeys: String, CodingKey {
            case left = "ttl"
            case whole = "creation_ttl"
            case isRenewable = "renewable"
        }
    }

    /// The newest version of an entry.
    struct Reading: Decodable {
        struct Fields: Decodable {
            let record: String?
            let removed: String?

            enum CodingKeys: String, CodingKey {
                case record = "keyover_record"
                case removed = "keyover_removed"
            }
        }

        let data: Fields?
        let metadata: Version?
    }

    /// What the server says of a version.
    struct Version: Decodable {
        let version: Int?
        let createdAt: String
        let deletedAt: String
        let isDestroyed: Bool

        enum CodingKeys: String, CodingKey {
            case version
            case createdAt = "created_time"
            case deletedAt = "deletion_time"
            case isDestroyed = "destroyed"
        }

        /// Whether it can be read, now and in future.
        var isReadable: Bool { deletedAt.isEmpty && !isDestroyed }
    }

    /// All that the server says of an entry's versions.
    struct Metadata: Decodable {
        let current: Int
        let versions: [String: Version]

        enum CodingKeys: String, CodingKey {
            case current = "current_version"
            case versions
        }

        /// The versions below the current one that are not destroyed, the oldest first; one that is only deleted can be
        /// brought back.
        var leftovers: [Int] {
            versions.compactMap { number, version in
                Int(number).flatMap { $0 < current && !version.isDestroyed ? $0 : nil }
            }.sorted()
        }
    }

    /// A list of names.
    struct Listing: Decodable {
        let keys: [String]
    }

    /// What a client's entry gives out.
    struct Publication: Decodable {
        struct Fields: Decodable {
            let clientID: String?
            let secret: String?
            let secretInBase64: String?
            let generation: String?
            let tokenURL: String?

            enum CodingKeys: String, CodingKey {
                case clientID = "client_id"
                case secret = "client_secret"
                case secretInBase64 = "client_secret_base64"
                case generation
                case tokenURL = "token_url"
            }
        }

        let data: Fields?
    }
}
