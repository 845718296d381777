import KeyoverSandbox
import Testing

@Suite struct TokenExchangeTests {
    @Test func exchangesASecretByBasicAndByBody() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", scopes: ["read", "write"])
            let basic = try await caller.exchange("app", secret)
            #expect(basic.status == 200)
            #expect(basic.member("token_type") as? String == "Bearer")
            #expect(basic.member("expires_in") as? Int == 3600)
            #expect(basic.member("scope") as? String == "read write")
            #expect(basic.header("Cache-Control") == "no-store")

            let posted = try await caller.form(
                "/oauth/token", "grant_type=client_credentials&client_id=app&client_secret=\(secret)&scope=read")
            #expect(posted.status == 200)
            #expect(posted.member("scope") as? String == "read")
            #expect(posted.member("access_token") as? String != basic.member("access_token") as? String)
        }
    }

    @Test func acceptsHostileValuesOnlyWhenTheyAreFormEncoded() async throws {
        try await withSandbox(calm { $0.secretAlphabet = .hostile }) { caller in
            let (_, secret) = try caller.server.createClient(clientID: "a:b %c")
            #expect(try await caller.exchange("a:b %c", secret).status == 200)
            let body = "grant_type=client_credentials&client_id=\(formEncoded("a:b %c"))"
            #expect(try await caller.form("/oauth/token", body + "&client_secret=\(formEncoded(secret))").status == 200)
            #expect(try await caller.form("/oauth/token", body + "&client_secret=\(secret)").status != 200)
        }
    }

    @Test(arguments: [
        "client_secret=SECRET",
        "client_id=app&client_secret=SECRET",
    ])
    func refusesToBeAuthenticatedToTwice(_ extra: String) async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let body = "&" + extra.replacing("SECRET", with: secret)
            let answer = try await caller.exchange("app", secret, more: body)
            #expect(answer.status == 400)
            #expect(answer.error == "invalid_request")
        }
    }

    @Test func refusesASecondIdentifierBesideBasic() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            #expect(try await caller.exchange("app", secret, more: "&client_id=app").status == 200)
            #expect(try await caller.exchange("app", secret, more: "&client_id=other").status == 400)
        }
    }

    @Test(arguments: [
        "Basic", "Basic ", "Basic !!!!", "Basic YXBw", "Basic YXBwOg==", "Basic OnNlY3JldA==", "Basic JVo6JVo=",
        "Basic YXBwOiX/", "Bearer YXBwOmE=", "Negotiate x", "YXBwOmE=",
    ])
    func challengesMalformedBasic(_ header: String) async throws {
        try await withSandbox { caller in
            _ = try caller.server.createClient(clientID: "app")
            let answer = try await caller.form(
                "/oauth/token", "grant_type=client_credentials", authorization: header)
            #expect(answer.status == 401)
            #expect(answer.error == "invalid_client")
            #expect(answer.header("WWW-Authenticate")?.hasPrefix("Basic ") == true)
        }
    }

    @Test(arguments: [
        ("scope=read", "invalid_request"), ("grant_type=", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=read&scope=read", "invalid_request"),
        ("grant_type=client_credentials&scope=admin", "invalid_scope"),
        ("grant_type=client_credentials&scope=%zz", "invalid_request"),
        ("grant_type=client_credentials&scope=%ff", "invalid_request"),
    ])
    func refusesBadParameters(_ body: String, _ error: String) async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app", scopes: ["read"])
            let answer = try await caller.form("/oauth/token", body, authorization: basic("app", secret))
            #expect(answer.status == 400)
            #expect(answer.error == error)
        }
    }

    @Test func refusesParametersOutsideTheBodyAndOtherBodies() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let query = try await caller.form(
                "/oauth/token?client_id=app", "grant_type=client_credentials", authorization: basic("app", secret))
            #expect(query.error == "invalid_request")
            let json = try await caller.send(
                "POST", "/oauth/token", ["Authorization": basic("app", secret), "Content-Type": "application/json"],
                body: "{\"grant_type\":\"client_credentials\"}")
            #expect(json.error == "invalid_request")
        }
    }

    @Test(arguments: ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
    func refusesHugeBodies(_ path: String) async throws {
        try await withSandbox { caller in
            let answer = try await caller.form(path, "a=" + String(repeating: "x", count: 1 << 20))
            #expect(answer.status == 413)
        }
    }

    @Test func countsExchangesPerSecretThroughItsWholeLife() async throws {
        try await withSandbox { caller in
            let (firstID, first) = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            for _ in 0..<3 { _ = try await caller.token("app", first) }
            _ = try await caller.token("app", second.value)
            #expect(try await caller.exchange("app", "never-a-secret").status == 401)
            #expect(try await caller.exchange("nobody", first).status == 401)
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(firstID)").status == 204)
            for _ in 0..<2 { #expect(try await caller.exchange("app", first).status == 401) }

            let stats = try caller.server.stats(clientID: "app")
            #expect(stats.secrets.map(\.id) == [firstID, second.id])
            #expect(stats.secrets.map(\.status) == ["DELETED", "ACTIVE"])
            #expect(stats.secrets.map(\.accepted) == [3, 1])
            #expect(stats.secrets.map(\.refused) == [2, 0])
            #expect(stats.secrets[0].lastAcceptedAt == caller.clock.now)
            #expect(stats.unknown.refused == 1)
            #expect(stats.tokens.minted == 4)
            #expect(stats.writes == [.add: 1, .delete: 1])
        }
    }

    @Test func refusesADisabledClientAndItsTokens() async throws {
        try await withSandbox { caller in
            let (_, secret) = try caller.server.createClient(clientID: "app")
            let token = try await caller.token("app", secret)
            #expect(try await caller.admin("PATCH", "/clients/app", "{\"enabled\":false}").status == 200)
            #expect(try await caller.exchange("app", secret).status == 401)
            #expect(try await caller.resource(token).status == 401)
            #expect(try await caller.admin("PATCH", "/clients/app", "{\"enabled\":true}").status == 200)
            #expect(try await caller.exchange("app", secret).status == 200)
        }
    }
}
