import FoundationEssentials
public import KeyoverCore

/// A form that a client sends to an endpoint of its authorization server, with the proof of who it is.
///
/// Token exchange (RFC 6749) and revocation (RFC 7009) are such forms.
public struct AuthenticatedForm: Sendable {
    /// The endpoint.
    public var url: EndpointURL
    /// The client id.
    public var clientID: String
    /// The client's secret.
    public var secret: SecretValue
    /// Where id and secret go.
    public var authentication: ClientAuthentication
    /// The parameters besides those of the authentication.
    public var parameters: [(name: String, value: SecretValue)]

    /// A form.
    public init(
        to url: EndpointURL, clientID: String, secret: SecretValue, authentication: ClientAuthentication,
        parameters: [(name: String, value: SecretValue)]
    ) {
        self.url = url
        self.clientID = clientID
        self.secret = secret
        self.authentication = authentication
        self.parameters = parameters
    }

    /// The form as a request.
    public var call: HTTPCall {
        var headers = [
            (name: "Accept", value: "application/json"),
            (name: "Content-Type", value: "application/x-www-form-urlencoded"),
        ]
        var fields = parameters
        switch authentication {
        case .basic:
            let credentials = Self.basicCredentials(clientID: clientID, secret: secret)
            headers.append((name: "Authorization", value: "Basic " + credentials))
        case .post:
            fields.append((name: "client_id", value: SecretValue(copying: Array(clientID.utf8))))
            fields.append((name: "client_secret", value: secret))
        }
        let pairs = fields.map { field in
            Array(field.name.utf8) + [UInt8(ascii: "=")]
                + field.value.withUnsafeSecretBytes { PercentEncoding.form($0) }
        }
        return HTTPCall(.post, url, headers: headers, body: Array(pairs.joined(separator: [UInt8(ascii: "&")])))
    }

    /// Id and secret, each form-encoded before they are joined, as RFC 6749 section 2.3.1 says.
    static func basicCredentials(clientID: String, secret: SecretValue) -> String {
        let secret = secret.withUnsafeSecretBytes { PercentEncoding.form($0) }
        return Data(PercentEncoding.form(clientID.utf8) + [UInt8(ascii: ":")] + secret).base64EncodedString()
    }
}
