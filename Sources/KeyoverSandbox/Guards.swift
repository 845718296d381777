import HTTPTypes
import Hummingbird
import NIOCore

/// Lets in only who came to the sandbox by its own loopback address, and no browser page.
///
/// A page on the web can make its visitor's browser send requests to loopback ports, directly (then there is an
/// `Origin`) or after pointing its own name at 127.0.0.1 (then `Host` is that name).
struct LoopbackGuard: RouterMiddleware {
    func handle(
        _ request: Request, context: SandboxContext,
        next: (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        guard let authority = request.head.authority, Self.isOwn(authority, port: context.channel.localAddress?.port)
        else {
            return .error(.misdirectedRequest, "misdirected_request", "the Host header does not name the sandbox")
        }
        guard Self.foreignHeaders.allSatisfy({ request.headers[$0] == nil }) else {
            return .error(.forbidden, "forbidden", "neither browsers nor proxies may call the sandbox")
        }
        return try await next(request, context)
    }

    private static let foreignHeaders = ["Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host"]
        .compactMap { HTTPField.Name($0) }

    static func isOwn(_ authority: String, port: Int?) -> Bool {
        guard let port, let colon = authority.lastIndex(of: ":") else { return false }
        return ["127.0.0.1", "[::1]", "localhost"].contains(authority[..<colon].lowercased())
            && authority[authority.index(after: colon)...] == String(port)
    }
}

/// Lets in only who brings the admin token.
struct AdminGuard: RouterMiddleware {
    let sandbox: Sandbox

    func handle(
        _ request: Request, context: SandboxContext,
        next: (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        let parts = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer",
            constantTimeEqual(parts[1].utf8, sandbox.adminToken.utf8)
        else {
            return .error(
                .unauthorized, "invalid_token", "admin calls need the admin token",
                headers: [.wwwAuthenticate: "Bearer realm=\"keyover-sandbox-admin\""])
        }
        return try await next(request, context)
    }
}
