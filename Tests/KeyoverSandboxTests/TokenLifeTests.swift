import KeyoverSandbox
import Testing

@Suite struct TokenLifeTests {
    @Test func evictsTheOldestOfElevenLiveTokens() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            var tokens: [String] = []
            for _ in 0..<11 { tokens.append(try await caller.token("app", secret)) }
            #expect(try await caller.resource(tokens[0]).status == 401)
            for token in tokens.dropFirst() { #expect(try await caller.resource(token).status == 200) }
            let stats = try caller.server.stats(clientID: "app")
            #expect(stats.tokens.live == 10)
            #expect(stats.tokens.evicted == 1)
            #expect(stats.resource.accepted == 10)
            #expect(stats.resource.refused == 1)
        }
    }

    @Test func expiredTokensMakeRoomWithoutAnEviction() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", tokenLifetime: 60)
            for _ in 0..<10 { _ = try await caller.token("app", secret) }
            caller.clock.advance(bySeconds: 60)
            #expect(try caller.server.stats(clientID: "app").tokens.live == 0)
            _ = try await caller.token("app", secret)
            let tokens = try caller.server.stats(clientID: "app").tokens
            #expect(tokens.live == 1)
            #expect(tokens.evicted == 0)
        }
    }

    @Test func aTokenDiesWithItsLifetimeAndNotBefore() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", tokenLifetime: 60)
            let token = try await caller.token("app", secret)
            caller.clock.advance(bySeconds: 59)
            #expect(try await caller.resource(token).status == 200)
            caller.clock.advance(bySeconds: 1)
            let dead = try await caller.resource(token)
            #expect(dead.status == 401)
            #expect(dead.header("WWW-Authenticate")?.contains("error=\"invalid_token\"") == true)
        }
    }

    @Test func introspectionTellsAClientAboutItsOwnTokensOnly() async throws {
        try await withSandbox { caller in
            let (secretID, secret) = try caller.server.createClient(clientID: "app", scopes: ["read"])
            let (_, other) = try caller.server.createClient(clientID: "other")
            let token = try await caller.token("app", secret)
            let own = try await caller.form(
                "/oauth/introspect", "token=\(token)", authorization: basic("app", secret))
            #expect(own.member("active") as? Bool == true)
            #expect(own.member("client_id") as? String == "app")
            #expect(own.member("scope") as? String == "read")
            #expect(own.member("secret_id") as? String == secretID)
            #expect(own.member("exp") as? Int == 1_800_003_600)
            let foreign = try await caller.form(
                "/oauth/introspect", "token=\(token)", authorization: basic("other", other))
            #expect(foreign.json.count == 1)
            #expect(foreign.member("active") as? Bool == false)
            let anonymous = try await caller.form("/oauth/introspect", "token=\(token)")
            #expect(anonymous.status == 401)
        }
    }

    @Test func revocationEndsOnlyTheTokensOfTheClientThatAsks() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let (_, other) = try caller.server.createClient(clientID: "other")
            let token = try await caller.token("app", secret)
            let foreign = try await caller.form(
                "/oauth/revoke", "token=\(token)", authorization: basic("other", other))
            #expect(foreign.status == 200)
            #expect(try await caller.resource(token).status == 200)
            let own = try await caller.form("/oauth/revoke", "token=\(token)", authorization: basic("app", secret))
            #expect(own.status == 200)
            #expect(try await caller.resource(token).status == 401)
            let unknown = try await caller.form("/oauth/revoke", "token=x.y.z", authorization: basic("app", secret))
            #expect(unknown.status == 200)
        }
    }

    @Test func introspectionAndRevocationCountAsNoExchange() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            _ = try await caller.form("/oauth/introspect", "token=x", authorization: basic("app", secret))
            _ = try await caller.form("/oauth/revoke", "token=x", authorization: basic("app", "wrong"))
            let stats = try caller.server.stats(clientID: "app")
            #expect(stats.secrets[0].accepted == 0)
            #expect(stats.unknown.refused == 0)
        }
    }

    @Test func theResourceNamesTheScopeThatIsMissing() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", scopes: ["read"])
            let token = try await caller.token("app", secret)
            #expect(try await caller.resource(token, query: "?scope=read").status == 200)
            let refused = try await caller.resource(token, query: "?scope=write")
            #expect(refused.status == 403)
            let challenge = try #require(refused.header("WWW-Authenticate"))
            #expect(challenge.contains("error=\"insufficient_scope\""))
            #expect(challenge.contains("scope=\"write\""))
            let injected = try await caller.resource(token, query: "?scope=a%22%0d%0aX-Evil:%201")
            #expect(injected.status == 403)
            #expect(injected.header("X-Evil") == nil)
        }
    }

    @Test(arguments: [
        "Bearer", "Bearer ", "Bearer 0.0.x", "Bearer 99.0.x", "Bearer -1.-1.", "Basic YTpi", "Bearer ...",
    ])
    func theResourceRefusesWhatIsNoToken(_ header: String) async throws {
        try await withSandbox { caller in
            _ = try caller.server.createClient(clientID: "app")
            let answer = try await caller.send("GET", "/resource", ["Authorization": header])
            #expect(answer.status == 401)
            #expect(try await caller.send("GET", "/resource").status == 401)
        }
    }

    @Test(arguments: [false, true])
    func tokensOutliveTheirSecretUnlessTheProfileSaysOtherwise(_ ends: Bool) async throws {
        try await withSandbox(calm { $0.deletionEndsTokens = ends }) { caller in
            let (firstID, first) = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            let old = try await caller.token("app", first)
            let new = try await caller.token("app", second.value)
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(firstID)").status == 204)
            #expect(try await caller.resource(old).status == (ends ? 401 : 200))
            #expect(try await caller.resource(new).status == 200)
        }
    }
}
