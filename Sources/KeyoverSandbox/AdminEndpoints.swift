import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationEssentialsCompat

/// The calls of an administrator: clients, their secrets and counters, and the profile.
struct AdminEndpoints: Sendable {
    static let bodyLimit = 64 << 10

    let sandbox: Sandbox

    // MARK: Clients

    @Sendable func listClients(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.ok) { state, _ in
            ["clients": state.clients.values.sorted { $0.ordinal < $1.ordinal }.map { ClientView(of: $0) }]
        }
    }

    @Sendable func createClient(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await answer(.created, to: request) { state, now, draft throws(SandboxError) in
            let (client, secret) = try state.createClient(draft, at: now)
            return ClientView(of: client, firstSecret: secret)
        }
    }

    @Sendable func showClient(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.ok) { state, _ throws(SandboxError) in ClientView(of: try state.client(context.name("clientID"))) }
    }

    @Sendable func changeClient(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await answer(.ok, to: request) { state, _, draft throws(SandboxError) in
            ClientView(of: try state.change(clientID: context.name("clientID"), draft))
        }
    }

    @Sendable func deleteClient(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.noContent) { state, _ throws(SandboxError) -> Nothing? in
            try state.deleteClient(context.name("clientID"))
            return nil
        }
    }

    @Sendable func showStatistics(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.ok) { state, now throws(SandboxError) in
            SandboxStatistics(of: try state.client(context.name("clientID")), at: now)
        }
    }

    // MARK: Secrets

    @Sendable func listSecrets(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.ok) { state, _ throws(SandboxError) in
            ["secrets": try state.client(context.name("clientID")).secrets.map { SecretView(of: $0) }]
        }
    }

    @Sendable func addSecret(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await answer(.created, to: request) { state, now, draft throws(SandboxError) in
            SecretView(
                of: try state.addSecret(clientID: context.name("clientID"), draft, at: now), showingValue: true)
        }
    }

    @Sendable func deactivateSecret(_ request: Request, _ context: SandboxContext) async throws -> Response {
        changeSecret(.deactivate, context)
    }

    @Sendable func reactivateSecret(_ request: Request, _ context: SandboxContext) async throws -> Response {
        changeSecret(.reactivate, context)
    }

    @Sendable func deleteSecret(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.noContent) { state, now throws(SandboxError) -> Nothing? in
            _ = try state.changeSecret(
                clientID: context.name("clientID"), secretID: context.name("secretID"), .delete, at: now)
            return nil
        }
    }

    private func changeSecret(_ operation: SandboxOperation, _ context: SandboxContext) -> Response {
        answer(.ok) { state, now throws(SandboxError) in
            try state.changeSecret(
                clientID: context.name("clientID"), secretID: context.name("secretID"), operation, at: now
            ).map { SecretView(of: $0) }
        }
    }

    // MARK: The profile

    @Sendable func showProfile(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.ok) { state, _ in state.profile }
    }

    @Sendable func listPresets(_ request: Request, _ context: SandboxContext) async throws -> Response {
        answer(.ok) { _, _ in ["presets": SandboxProfile.presets] }
    }

    /// `PUT` starts from the calm profile, unless the body names another preset.
    @Sendable func replaceProfile(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await editProfile(request) { _ in .calm }
    }

    /// `PATCH` changes the knobs that the body names and leaves the others.
    @Sendable func changeProfile(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await editProfile(request) { $0 }
    }

    private func editProfile(
        _ request: Request, from base: (SandboxProfile) -> SandboxProfile
    ) async throws -> Response {
        guard let body = try await BoundedBody.collect(request, upTo: Self.bodyLimit) else { return Self.tooLarge }
        return answer(.ok) { state, _ throws(SandboxError) in
            state.profile = try base(state.profile).applying(json: body.readableBytesView)
            return state.profile
        }
    }
}

/// Stands where an answer has no body.
private struct Nothing: Encodable {}

extension AdminEndpoints {
    private static let tooLarge = Response.error(
        .contentTooLarge, SandboxError.Code.invalidRequest.rawValue, "a body has at most \(bodyLimit) bytes")

    /// Carries out a call without a body.
    private func answer<View: Encodable>(
        _ status: HTTPResponse.Status,
        _ call: (inout SandboxState, SandboxInstant) throws(SandboxError) -> View?
    ) -> Response {
        do throws(SandboxError) {
            let json = try sandbox.decide { state, now throws(SandboxError) in
                try call(&state, now).map { view throws(SandboxError) in try Self.json(of: view) }
            }
            return json.map { .json(status, $0) } ?? Response(status: status)
        } catch {
            return .error(error.status(quotaStatus: quotaStatus), error.code.rawValue, error.description)
        }
    }

    /// Carries out a call with a JSON object as its body; none at all counts as an empty one.
    private func answer<Draft: AdminDraft, View: Encodable>(
        _ status: HTTPResponse.Status, to request: Request,
        _ call: (inout SandboxState, SandboxInstant, Draft) throws(SandboxError) -> View
    ) async throws -> Response {
        guard let body = try await BoundedBody.collect(request, upTo: Self.bodyLimit) else { return Self.tooLarge }
        return answer(status) { state, now throws(SandboxError) in
            try call(&state, now, try Draft.read(Data(body.readableBytesView)))
        }
    }

    private var quotaStatus: HTTPResponse.Status {
        HTTPResponse.Status(code: sandbox.decide { state, _ in state.profile.quotaStatus })
    }

    private static func json(of view: some Encodable) throws(SandboxError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(view) else { throw .invalid("the answer cannot be written") }
        return String(decoding: json, as: UTF8.self)
    }
}

extension SandboxError {
    fileprivate func status(quotaStatus: HTTPResponse.Status) -> HTTPResponse.Status {
        switch code {
        case .clientNotFound, .secretNotFound: .notFound
        case .clientExists, .lastSecret, .secretActive: .conflict
        case .quotaExceeded: quotaStatus
        default: .badRequest
        }
    }
}

/// A body of an admin call: an object whose members are all known.
protocol AdminDraft: Decodable {
    /// The members that the object may have.
    static var members: Set<String> { get }
}

extension AdminDraft {
    static func read(_ body: Data) throws(SandboxError) -> Self {
        let body = body.isEmpty ? Data("{}".utf8) : body
        guard let found = try? JSONDecoder().decode([String: JSONValue].self, from: body) else {
            throw .invalid("the body is not a JSON object")
        }
        if let unknown = found.keys.sorted().first(where: { !members.contains($0) }) {
            throw .invalid("there is no member \(unknown)", remedy: "use \(members.sorted().joined(separator: ", "))")
        }
        guard let draft = try? JSONDecoder().decode(Self.self, from: body) else {
            throw .invalid("a member of the body is of the wrong kind")
        }
        return draft
    }
}

extension ClientDraft: AdminDraft {
    static let members: Set = ["clientID", "name", "scopes", "tokenLifetime", "enabled", "secret"]
}

extension SecretDraft: AdminDraft {
    static let members: Set = ["displayName", "expiresAt", "secret"]
}

extension SandboxContext {
    /// A part of the path, its escapes undone.
    fileprivate func name(_ parameter: String) -> String {
        parameters.get(parameter).flatMap { percentDecoded($0.utf8) } ?? ""
    }
}
