import KeyoverSandbox
import NIOCore
import Testing

@Suite struct FaultTests {
    @Test(arguments: [429, 503], [RetryAfterForm.seconds, .date, .absent])
    func throttlesTheNextRequests(_ status: Int, _ form: RetryAfterForm) async throws {
        let profile = calm {
            $0.throttleNext = 1
            $0.throttleStatuses = [status]
            $0.retryAfterForms = [form]
            $0.retryAfterSeconds = 7
        }
        try await withSandbox(profile) { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let throttled = try await caller.exchange("app", secret)
            #expect(throttled.status == status)
            switch form {
            case .absent: #expect(throttled.header("Retry-After") == nil)
            case .seconds: #expect(throttled.header("Retry-After") == "7")
            case .date: #expect(throttled.header("Retry-After") == "Fri, 15 Jan 2027 08:00:07 GMT")
            }
            #expect(try await caller.exchange("app", secret).status == 200)
            #expect(caller.server.profile.throttleNext == 0)
        }
    }

    @Test func aThrottledAddAddsNothing() async throws {
        try await withSandbox(calm { $0.throttleFraction = 1 }) { caller in
            let (id, _) = try caller.server.createClient(clientID: "app")
            #expect(try await caller.admin("POST", "/clients/app/secrets").status == 429)
            #expect(try await caller.admin("PUT", "/profile", "{}").status == 200)
            #expect(try await caller.secretIDs("app") == [id])
        }
    }

    @Test func theSameSeedThrottlesTheSameRequests() async throws {
        func outcomes() async throws -> [Int] {
            var statuses: [Int] = []
            try await withSandbox(calm { $0.throttleFraction = 0.5 }) { caller in
                let (_, secret) = try caller.server.createClient(clientID: "app")
                for _ in 0..<20 { statuses.append(try await caller.exchange("app", secret).status) }
            }
            return statuses
        }
        let first = try await outcomes()
        #expect(Set(first) == [200, 429])
        #expect(try await outcomes() == first)
    }

    @Test func aLostAnswerComesAfterTheCommit() async throws {
        try await withSandbox(calm { $0.loseAnswers = 2 }) { caller in
            let (firstID, _) = try caller.server.createClient(clientID: "app")
            await #expect(throws: (any Error).self) { _ = try await caller.admin("POST", "/clients/app/secrets") }
            let ids = try await caller.secretIDs("app")
            #expect(ids.count == 2 && ids[0] == firstID)
            #expect(try await caller.admin("POST", "/clients/app/secrets").error == "quota_exceeded")
            await #expect(throws: (any Error).self) {
                _ = try await caller.admin("DELETE", "/clients/app/secrets/\(ids[1])")
            }
            #expect(try await caller.secretIDs("app") == [firstID])
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(ids[1])").status == 404)
            #expect(caller.server.profile.loseAnswers == 0)
        }
    }

    @Test func aLostTokenAnswerHasMintedItsToken() async throws {
        try await withSandbox(calm { $0.loseTokenAnswers = 1 }) { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            await #expect(throws: (any Error).self) { _ = try await caller.exchange("app", secret) }
            #expect(try caller.server.stats(clientID: "app").tokens.live == 1)
            #expect(try await caller.exchange("app", secret).status == 200)
        }
    }

    @Test(arguments: [SandboxOperation.add, .list, .deactivate, .reactivate, .delete, .token])
    func everyOperationCanBeSlowedByItself(_ operation: SandboxOperation) async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let base = "/clients/app/secrets"
            let id = operation == .add ? "" : try await caller.addSecret("app").id
            let delays =
                "{\"delayBeforeMilliseconds\":{\"\(operation.rawValue)\":60},"
                + "\"delayAfterMilliseconds\":{\"\(operation.rawValue)\":60}}"
            #expect(try await caller.admin("PATCH", "/profile", delays).status == 200)
            let took = try await ContinuousClock().measure {
                let answer =
                    switch operation {
                    case .add: try await caller.admin("POST", base)
                    case .list: try await caller.admin("GET", base)
                    case .delete: try await caller.admin("DELETE", "\(base)/\(id)")
                    case .token: try await caller.exchange("app", secret)
                    default: try await caller.admin("POST", "\(base)/\(id)/\(operation.rawValue)")
                    }
                #expect((200..<300).contains(answer.status))
            }
            #expect(took >= .milliseconds(120))
        }
    }

    @Test func aSlowWriteCommitsEvenIfItsCallerHasGone() async throws {
        try await withSandbox(calm { $0.delayBeforeMilliseconds = [.add: 50] }) { caller in
            _ = try caller.server.createClient(clientID: "app")
            let connection = try await RawHTTP.sendAndStay(
                "POST /admin/clients/app/secrets HTTP/1.1\r\nHost: 127.0.0.1:\(caller.server.port)\r\n"
                    + "Authorization: Bearer \(caller.server.adminToken)\r\nContent-Length: 0\r\n\r\n",
                toPort: caller.server.port)
            try await connection.close()
            let deadline = ContinuousClock.now + .seconds(10)
            while try await caller.secretIDs("app").count < 2, ContinuousClock.now < deadline {
                await Task.yield()
            }
            #expect(try await caller.secretIDs("app").count == 2)
        }
    }

    @Test(
        arguments: [
            (RefusalStyle.standard, 401, "invalid_client"), (.unauthorizedClient, 401, "unauthorized_client"),
            (.badRequest, 400, "invalid_request"), (.forbidden, 403, nil), (.accessDenied, 403, "access_denied"),
            (.notFound, 404, "other_error"),
        ] as [(RefusalStyle, Int, String?)])
    func refusesInTheStyleOfTheProfile(_ style: RefusalStyle, _ status: Int, _ error: String?) async throws {
        let profile = calm {
            $0.wrongSecret = style
            $0.unknownClient = style
            $0.disabledClient = style
            $0.refuseMissingScope = true
        }
        try await withSandbox(profile) { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", scopes: ["read"])
            let refusals = [
                try await caller.exchange("app", "wrong"), try await caller.exchange("nobody", secret),
                try await caller.exchange("app", secret),
            ]
            for refusal in refusals {
                #expect(refusal.status == status)
                #expect(refusal.error == error)
                #expect(refusal.body.isEmpty == (error == nil))
            }
            #expect(try await caller.exchange("app", secret, more: "&scope=read").status == 200)
        }
    }

    @Test func writesOddTokenAnswers() async throws {
        let profile = calm {
            $0.expiresIn = .string
            $0.omitScope = true
            $0.nestingDepth = 3
        }
        try await withSandbox(profile) { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", scopes: ["read"])
            let answer = try await caller.exchange("app", secret)
            #expect(answer.member("expires_in") as? String == "3600")
            #expect(answer.member("scope") == nil)
            #expect(answer.body.contains("[[[]]]"))
            #expect(try await caller.admin("PATCH", "/profile", "{\"expiresIn\":\"absent\"}").status == 200)
            #expect(try await caller.exchange("app", secret).member("expires_in") == nil)
        }
    }

    @Test func bodiesCanBeHugeAndSlow() async throws {
        let profile = calm {
            $0.bodyPaddingBytes = 3 << 20
            $0.dripBytes = 1 << 20
            $0.dripMilliseconds = 20
        }
        try await withSandbox(profile) { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let answer = try await caller.exchange("app", secret)
            #expect(answer.body.utf8.count > 3 << 20)
            #expect(answer.header("Content-Length") == String(answer.body.utf8.count))
            #expect(answer.member("access_token") is String)
        }
    }

    @Test(arguments: [(0, "Fri, 15 Jan 2027 08:00:00 GMT"), (-420, "Fri, 15 Jan 2027 07:53:00 GMT")])
    func theDateHeaderFollowsTheSkewedClock(_ skew: Int, _ date: String) async throws {
        try await withSandbox(calm { $0.dateSkewSeconds = skew }) { caller in
            let answer = try await caller.send("GET", "/resource")
            #expect(answer.header("Date") == date)
        }
    }

    @Test func aFuseEndsTheOlderSecretAndIsPutOutByRemovingTheNewer() async throws {
        try await withSandbox(calm { $0.fuseSeconds = 60 }) { caller in
            let (_, first) = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            let list = try await caller.admin("GET", "/clients/app/secrets").member("secrets") as? [[String: Any]]
            #expect(list?.first?["expiresAt"] as? String == caller.clock.now.advanced(bySeconds: 60).description)
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(second.id)").status == 204)
            caller.clock.advance(bySeconds: 61)
            #expect(try await caller.exchange("app", first).status == 200)

            let third = try await caller.addSecret("app")
            caller.clock.advance(bySeconds: 59)
            #expect(try await caller.exchange("app", first).status == 200)
            caller.clock.advance(bySeconds: 1)
            #expect(try await caller.exchange("app", first).status == 401)
            #expect(try await caller.exchange("app", third.value).status == 200)
        }
    }
}
