import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A JSON answer that nobody may cache.
    static func json(_ status: HTTPResponse.Status, _ text: String, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// An error in the shape of RFC 6749, section 5.2, which the admin interface shares.
    static func error(
        _ status: HTTPResponse.Status, _ code: String, _ description: String, headers: HTTPFields = [:]
    ) -> Response {
        let members = "\"error\":\(code.quotedAsJSON),\"error_description\":\(description.quotedAsJSON)"
        return json(status, "{\(members)}", headers: headers)
    }
}

/// A refusal of the token, introspection or revocation endpoint.
struct OAuthRefusal: Error {
    let response: Response

    static func invalidRequest(_ description: String) -> Self {
        Self(response: .error(.badRequest, "invalid_request", description))
    }

    static func invalidClient(_ description: String) -> Self {
        Self(
            response: .error(
                .unauthorized, "invalid_client", description,
                headers: [.wwwAuthenticate: "Basic realm=\"keyover-sandbox\""]))
    }

    /// What the state refused, in the profile's words.
    init(_ refusal: ExchangeRefusal) {
        switch refusal {
        case .scope(let name):
            self.init(response: .error(.badRequest, "invalid_scope", "the client may not ask for \(name)"))
        case .client(let style):
            self = Self.refusal(in: style)
        }
    }

    private init(response: Response) {
        self.response = response
    }

    static func status(_ status: HTTPResponse.Status, _ code: String, _ description: String) -> Self {
        Self(response: .error(status, code, description))
    }

    private static func refusal(in style: RefusalStyle) -> Self {
        let failed = "client authentication failed"
        return switch style {
        case .standard: .invalidClient(failed)
        case .unauthorizedClient: .status(.unauthorized, "unauthorized_client", failed)
        case .badRequest: .status(.badRequest, "invalid_request", failed)
        case .forbidden: Self(response: Response(status: .forbidden))
        case .accessDenied: .status(.forbidden, "access_denied", failed)
        case .notFound: .status(.notFound, "other_error", failed)
        }
    }
}

/// Request bodies, within bounds.
enum BoundedBody {
    /// How much of an oversized body is read and thrown away, so that its sender gets to hear why.
    private static let drainLimit = 16 << 20

    /// The whole body, or nil where it is longer than the limit.
    static func collect(_ request: Request, upTo limit: Int) async throws -> ByteBuffer? {
        var whole = ByteBuffer()
        var length = 0
        for try await chunk in request.body {
            length += chunk.readableBytes
            if length <= limit {
                whole.writeImmutableBuffer(chunk)
            } else if length > drainLimit {
                throw EndlessBody()
            }
        }
        return length <= limit ? whole : nil
    }

    /// The sender does not stop; its connection is closed without an answer.
    struct EndlessBody: Error {}
}
