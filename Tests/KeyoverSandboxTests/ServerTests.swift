import KeyoverSandbox
import Testing

@Suite struct ServerTests {
    @Test func stoppingFreesThePort() async throws {
        let first = try await SandboxServer.start()
        #expect(first.baseURL == "http://127.0.0.1:\(first.port)")
        await first.stop()
        let second = try await SandboxServer.start(SandboxConfiguration(port: first.port))
        #expect(second.port == first.port)
        #expect(second.adminToken != first.adminToken)
        await second.stop()
    }

    @Test func aTakenPortIsAnErrorWithARemedy() async throws {
        try await withSandbox { caller in
            let error = await #expect(throws: SandboxError.self) {
                _ = try await SandboxServer.start(SandboxConfiguration(port: caller.server.port))
            }
            #expect(error?.code == .cannotListen)
            #expect(error?.remedy.isEmpty == false)
        }
    }

    @Test func stoppingDoesNotWaitForSlowAnswers() async throws {
        let server = try await SandboxServer.start(
            SandboxConfiguration(profile: calm { $0.delayBeforeMilliseconds = [.list: 600_000] }))
        _ = try server.createClient(clientID: "app")
        let caller = Caller(server: server, clock: ManualClock())
        let answer = Task { try await caller.secretIDs("app") }
        // An answered request shows that the server is busy with connections when it is stopped.
        _ = try await caller.admin("GET", "/clients")
        await server.stop()
        await #expect(throws: (any Error).self) { _ = try await answer.value }
    }

    @Test func describesItselfAsRFC8414Wants() async throws {
        try await withSandbox { caller in
            let metadata = try await caller.send("GET", "/.well-known/oauth-authorization-server")
            #expect(metadata.status == 200)
            #expect(metadata.member("issuer") as? String == caller.server.baseURL)
            #expect(metadata.member("token_endpoint") as? String == caller.server.baseURL + "/oauth/token")
            #expect(metadata.member("grant_types_supported") as? [String] == ["client_credentials"])
        }
    }

    @Test func listensOnIPv6Loopback() async throws {
        let server: SandboxServer
        do {
            server = try await SandboxServer.start(SandboxConfiguration(host: "::1"))
        } catch {
            // A machine without IPv6 says so; that is the other right answer.
            #expect(error.code == .cannotListen)
            return
        }
        #expect(server.baseURL == "http://[::1]:\(server.port)")
        let answer = try await RawHTTP.send(
            "GET /resource HTTP/1.1\r\nHost: [::1]:\(server.port)\r\nConnection: close\r\n\r\n", toPort: server.port,
            host: "::1")
        #expect(answer.status == 401)
        await server.stop()
    }
}
