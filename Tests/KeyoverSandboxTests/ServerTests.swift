import KeyoverSandbox
import NIOCore
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

    @Test(arguments: [
        "", "GET /resource HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "POST /oauth/token HTTP/1.1\r\nContent-Le",
    ])
    func stoppingDoesNotWaitForOpenConnections(_ said: String) async throws {
        let server = try await SandboxServer.start()
        let connection = try await RawHTTP.sendAndStay(said, toPort: server.port)
        await server.stop()
        try await connection.closeFuture.get()
    }

    @Test func stoppingSurvivesConnectionsThatArriveMeanwhile() async throws {
        for _ in 0..<20 {
            let server = try await SandboxServer.start()
            let callers = (0..<8).map { _ in
                // Some get through and some are refused; what counts is that nothing crashes.
                Task { try? await RawHTTP.sendAndStay("", toPort: server.port).closeFuture.get() }
            }
            await server.stop()
            for caller in callers { await caller.value }
        }
    }

    @Test func hangsUpOnAnEndlessBody() async throws {
        try await withSandbox { caller in
            let head =
                "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1:\(caller.server.port)\r\n"
                + "Content-Length: 999999999999\r\n\r\n"
            let connection = try await RawHTTP.sendAndStay(head, toPort: caller.server.port)
            let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
            await #expect(throws: (any Error).self) {
                for _ in 0..<1000 { try await connection.writeAndFlush(piece) }
            }
        }
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
