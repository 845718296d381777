import HTTPTypes
import Hummingbird

/// Every path of the sandbox on one page.
struct Routes: Sendable {
    typealias Handler = @Sendable (Request, SandboxContext) async throws -> Response

    let sandbox: Sandbox

    func responder() -> RouterResponder<SandboxContext> {
        let token = TokenEndpoint(sandbox: sandbox)
        let resource = ResourceEndpoint(sandbox: sandbox)
        let admin = AdminEndpoints(sandbox: sandbox)
        let router = Router(context: SandboxContext.self)
        router.add(middleware: LoopbackGuard())

        add(to: router, "/oauth/token", [.post: faulty(.token, token.exchange)])
        add(to: router, "/oauth/introspect", [.post: faulty(.introspect, token.introspect)])
        add(to: router, "/oauth/revoke", [.post: faulty(.revoke, token.revoke)])
        add(to: router, "/resource", [.get: faulty(.resource, resource.read)])
        add(to: router, "/.well-known/oauth-authorization-server", [.get: metadata])

        let guarded = router.group("/admin").add(middleware: AdminGuard(sandbox: sandbox))
        let client = RouterPath("/clients/{clientID}")
        let secret = RouterPath("/clients/{clientID}/secrets/{secretID}")
        add(to: guarded, "/clients", [.get: admin.listClients, .post: admin.createClient])
        add(to: guarded, client, [.get: admin.showClient, .patch: admin.changeClient, .delete: admin.deleteClient])
        add(to: guarded, "/clients/{clientID}/stats", [.get: admin.showStatistics])
        add(
            to: guarded, "/clients/{clientID}/secrets",
            [.get: faulty(.list, admin.listSecrets), .post: faulty(.add, admin.addSecret)])
        add(to: guarded, secret, [.delete: faulty(.delete, admin.deleteSecret)])
        add(
            to: guarded, "/clients/{clientID}/secrets/{secretID}/deactivate",
            [.post: faulty(.deactivate, admin.deactivateSecret)])
        add(
            to: guarded, "/clients/{clientID}/secrets/{secretID}/reactivate",
            [.post: faulty(.reactivate, admin.reactivateSecret)])
        add(
            to: guarded, "/profile",
            [.get: admin.showProfile, .put: admin.replaceProfile, .patch: admin.changeProfile])
        add(to: guarded, "/presets", [.get: admin.listPresets])
        return router.buildResponder()
    }

    /// Adds one path; methods that it does not have are answered 405 and told which ones it has.
    private func add(
        to routes: some RouterMethods<SandboxContext>, _ path: RouterPath, _ handlers: [HTTPRequest.Method: Handler]
    ) {
        let allowed = handlers.keys.map(\.rawValue).sorted().joined(separator: ", ")
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
        for method in known {
            let handler: Handler =
                handlers[method] ?? { _, _ in
                    .error(
                        .methodNotAllowed, "method_not_allowed", "this path knows \(allowed)",
                        headers: [.allow: allowed])
                }
            routes.on(path, method: method, use: handler)
        }
    }

    /// The handler with the faults of its operation around it.
    private func faulty(_ operation: SandboxOperation, _ handler: @escaping Handler) -> Handler {
        let faults = FaultMiddleware(operation: operation, sandbox: sandbox)
        return { request, context in
            try await faults.handle(request, context: context) { request, context in
                try await handler(request, context)
            }
        }
    }

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414).
    @Sendable private func metadata(_ request: Request, _ context: SandboxContext) async throws -> Response {
        let base = "http://\(request.head.authority ?? "")"
        let methods = "[\"client_secret_basic\",\"client_secret_post\"]"
        return .json(
            .ok,
            """
            {"issuer":"\(base)","token_endpoint":"\(base)/oauth/token",\
            "introspection_endpoint":"\(base)/oauth/introspect","revocation_endpoint":"\(base)/oauth/revoke",\
            "token_endpoint_auth_methods_supported":\(methods),\
            "introspection_endpoint_auth_methods_supported":\(methods),\
            "revocation_endpoint_auth_methods_supported":\(methods),\
            "grant_types_supported":["client_credentials"],"response_types_supported":[]}
            """)
    }
}
