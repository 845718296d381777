import KeyoverSandbox
import Testing

@Suite struct GuardTests {
    @Test(arguments: [
        "evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:PORT", "0.0.0.0:PORT",
    ])
    func refusesAForeignHost(_ host: String) async throws {
        try await withSandbox { caller in
            let host = host.replacing("PORT", with: String(caller.server.port))
            for path in ["/resource", "/admin/clients", "/nowhere"] {
                let answer = try await caller.send(
                    "GET", path, ["Host": host, "Authorization": "Bearer \(caller.server.adminToken)"])
                #expect(answer.status == 421)
            }
        }
    }

    @Test func answersToItsOwnNames() async throws {
        try await withSandbox { caller in
            for host in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
                let answer = try await caller.send("GET", "/resource", ["Host": "\(host):\(caller.server.port)"])
                #expect(answer.status == 401)
            }
        }
    }

    @Test func refusesARequestWithoutHost() async throws {
        try await withSandbox { caller in
            let answer = try await RawHTTP.send(
                "GET /resource HTTP/1.1\r\nConnection: close\r\n\r\n", toPort: caller.server.port)
            #expect(answer.status == 421)
        }
    }

    @Test(arguments: ["Origin", "X-Forwarded-For", "Forwarded", "X-Forwarded-Host"])
    func refusesBrowsersAndProxies(_ header: String) async throws {
        try await withSandbox { caller in
            let headers = [header: "http://evil.example", "Authorization": "Bearer \(caller.server.adminToken)"]
            let admin = try await caller.send("GET", "/admin/clients", headers)
            #expect(admin.status == 403)
            let preflight = try await caller.send("OPTIONS", "/oauth/token", headers)
            #expect(preflight.status == 403)
        }
    }

    @Test func answersAbsoluteTargetsItselfAndForwardsNothing() async throws {
        try await withSandbox { caller in
            let answer = try await caller.send("GET", "http://evil.example/resource")
            #expect(answer.status == 401)
            #expect(answer.header("WWW-Authenticate")?.contains("keyover-sandbox") == true)
        }
    }

    @Test(arguments: [nil, "Bearer", "Bearer wrong", "Basic dTpw", "TOKEN"])
    func adminCallsNeedTheAdminToken(_ header: String?) async throws {
        try await withSandbox { caller in
            let headers = header.map { ["Authorization": $0] } ?? [:]
            for (method, path) in [
                ("GET", "/admin/clients"), ("POST", "/admin/clients"), ("PUT", "/admin/profile"),
                ("GET", "//admin/clients"), ("DELETE", "/admin/clients/x"), ("OPTIONS", "/admin/clients"),
            ] {
                let answer = try await caller.send(method, path, headers)
                #expect(answer.status == 401)
                #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer ") == true)
            }
        }
    }

    @Test func theAdminTokenOpensNothingElse() async throws {
        try await withSandbox { caller in
            let answer = try await caller.resource(caller.server.adminToken)
            #expect(answer.status == 401)
        }
    }

    @Test(arguments: [
        ("GET", "/oauth/token", "POST"), ("PUT", "/oauth/revoke", "POST"), ("POST", "/resource", "GET"),
        ("HEAD", "/oauth/introspect", "POST"), ("DELETE", "/admin/profile", "GET, PATCH, PUT"),
        ("TRACE", "/resource", "GET"),
    ])
    func namesTheMethodsOfAPath(_ method: String, _ path: String, _ allowed: String) async throws {
        try await withSandbox { caller in
            let answer = try await caller.send(
                method, path, ["Authorization": "Bearer \(caller.server.adminToken)"])
            #expect(answer.status == 405)
            #expect(answer.header("Allow") == allowed)
        }
    }

    @Test func unknownPathsAreNotFound() async throws {
        try await withSandbox { caller in
            for path in ["/admin/nothing", "/", "/oauth", "/resource/more"] {
                let answer = try await caller.send("GET", path)
                #expect(answer.status == 404)
            }
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "localhost", "192.0.2.1", "", "127.0.0.2"])
    func listensOnLoopbackOnly(_ host: String) async throws {
        let error = await #expect(throws: SandboxError.self) {
            _ = try await SandboxServer.start(SandboxConfiguration(host: host))
        }
        #expect(error?.code == .notLoopback)
    }
}
