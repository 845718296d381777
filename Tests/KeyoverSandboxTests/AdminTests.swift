import Foundation
import KeyoverSandbox
import Testing

@Suite struct AdminTests {
    @Test func aSecretLivesFromAddToDelete() async throws {
        try await withSandbox { caller in
            let (firstID, _) = try caller.server.createClient(clientID: "app")
            let added = try await caller.admin("POST", "/clients/app/secrets", "{\"displayName\":\"keyover 1\"}")
            #expect(added.status == 201)
            #expect(added.member("status") as? String == "ACTIVE")
            #expect(added.member("displayName") as? String == "keyover 1")
            #expect(added.member("createdAt") as? String == caller.clock.now.description)
            let id = try #require(added.member("id") as? String)
            let value = try #require(added.member("secret") as? String)
            #expect(value.count == 43)
            #expect(added.member("hint") as? String == String(value.prefix(3)))

            #expect(try await caller.exchange("app", value).status == 200)
            let off = try await caller.admin("POST", "/clients/app/secrets/\(id)/deactivate")
            #expect(off.member("status") as? String == "INACTIVE")
            #expect(try await caller.exchange("app", value).status == 401)
            let on = try await caller.admin("POST", "/clients/app/secrets/\(id)/reactivate")
            #expect(on.member("status") as? String == "ACTIVE")
            #expect(try await caller.exchange("app", value).status == 200)

            let deleted = try await caller.admin("DELETE", "/clients/app/secrets/\(id)")
            #expect(deleted.status == 204)
            #expect(deleted.body.isEmpty)
            #expect(try await caller.exchange("app", value).status == 401)
            #expect(try await caller.secretIDs("app") == [firstID])
            for path in ["", "/deactivate", "/reactivate"] {
                let gone = try await caller.admin(path.isEmpty ? "DELETE" : "POST", "/clients/app/secrets/\(id)\(path)")
                #expect(gone.status == 404)
                #expect(gone.error == "secret_not_found")
            }
        }
    }

    @Test func valuesAreShownOnce() async throws {
        try await withSandbox { caller in
            let created = try await caller.admin("POST", "/clients", "{\"clientID\":\"app\",\"scopes\":[\"read\"]}")
            #expect(created.status == 201)
            let first = try #require((created.member("secret") as? [String: Any])?["secret"] as? String)
            let second = try await caller.addSecret("app")
            for path in ["/clients", "/clients/app", "/clients/app/secrets", "/clients/app/stats", "/profile"] {
                let body = try await caller.admin("GET", path).body
                #expect(!body.contains(first) && !body.contains(second.value))
            }
        }
    }

    @Test func concurrentAddsAtTheQuotaLetExactlyOneWin() async throws {
        try await withSandbox { caller in
            _ = try caller.server.createClient(clientID: "app")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await caller.admin("POST", "/clients/app/secrets").status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 201 } == 1)
            #expect(statuses.count { $0 == 409 } == 15)
            #expect(try await caller.secretIDs("app").count == 2)
        }
    }

    @Test func theQuotaIsAKnobAndSoIsItsStatus() async throws {
        let profile = calm {
            $0.maxSecrets = 1
            $0.quotaStatus = 400
        }
        try await withSandbox(profile) { caller in
            _ = try caller.server.createClient(clientID: "app")
            let full = try await caller.admin("POST", "/clients/app/secrets")
            #expect(full.status == 400)
            #expect(full.error == "quota_exceeded")
        }
    }

    @Test func theLastWorkingSecretStays() async throws {
        try await withSandbox { caller in
            let (firstID, first) = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            #expect(try await caller.admin("POST", "/clients/app/secrets/\(second.id)/deactivate").status == 200)
            for (method, path) in [("DELETE", ""), ("POST", "/deactivate")] {
                let refused = try await caller.admin(method, "/clients/app/secrets/\(firstID)\(path)")
                #expect(refused.status == 409)
                #expect(refused.error == "last_secret")
            }
            #expect(try await caller.exchange("app", first).status == 200)
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(second.id)").status == 204)
        }
    }

    @Test func anExpiredSecretIsRefusedAndDoesNotCountAsWorking() async throws {
        try await withSandbox { caller in
            let (firstID, _) = try caller.server.createClient(clientID: "app")
            let end = caller.clock.now.advanced(bySeconds: 60)
            let added = try await caller.admin("POST", "/clients/app/secrets", "{\"expiresAt\":\"\(end)\"}")
            #expect(added.member("expiresAt") as? String == end.description)
            let value = try #require(added.member("secret") as? String)
            #expect(try await caller.exchange("app", value).status == 200)
            caller.clock.advance(bySeconds: 60)
            #expect(try await caller.exchange("app", value).status == 401)
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(firstID)").error == "last_secret")
        }
    }

    @Test func callersChooseValuesOnlyWhereTheProfileAllows() async throws {
        try await withSandbox { caller in
            _ = try caller.server.createClient(clientID: "app")
            let body = "{\"secret\":\"chosen by me\"}"
            #expect(try await caller.admin("POST", "/clients/app/secrets", body).error == "invalid_request")
            try caller.server.setProfile(calm { $0.callerMayChooseSecret = true })
            #expect(try await caller.admin("POST", "/clients/app/secrets", body).status == 201)
            #expect(try await caller.exchange("app", "chosen by me").status == 200)
        }
    }

    @Test func somePoliciesWantASecretDeactivatedBeforeItIsDeleted() async throws {
        try await withSandbox(calm { $0.deleteRequiresInactive = true }) { caller in
            _ = try caller.server.createClient(clientID: "app")
            let path = "/clients/app/secrets/\(try await caller.addSecret("app").id)"
            #expect(try await caller.admin("DELETE", path).error == "secret_active")
            #expect(try await caller.admin("POST", path + "/deactivate").status == 200)
            #expect(try await caller.admin("DELETE", path).status == 204)
        }
    }

    @Test(arguments: [
        "nonsense", "[]", "{\"displayName\":1}", "{\"displayname\":\"x\"}", "{\"expiresAt\":\"tomorrow\"}",
        "{\"expiresAt\":\"2001-01-01T00:00:00Z\"}", "{\"displayName\":\"a\\u0007b\"}", "{", "\u{0}",
    ])
    func refusesGarbage(_ body: String) async throws {
        try await withSandbox { caller in
            let (id, _) = try caller.server.createClient(clientID: "app")
            let answer = try await caller.admin("POST", "/clients/app/secrets", body)
            #expect(answer.status == 400)
            #expect(answer.error == "invalid_request")
            #expect(try await caller.secretIDs("app") == [id])
        }
    }

    @Test(arguments: [
        "{\"clientID\":\"\"}", "{\"clientID\":\"a\\tb\"}", "{\"scopes\":[\"a b\"]}", "{\"scopes\":[\"\"]}",
        "{\"tokenLifetime\":0}", "{\"tokenLifetime\":\"60\"}", "{\"secret\":\"\\n\"}",
    ])
    func refusesImpossibleClients(_ body: String) async throws {
        try await withSandbox { caller in
            let answer = try await caller.admin("POST", "/clients", body)
            #expect(answer.status == 400)
        }
    }

    @Test func clientsAreCreatedShownChangedAndDeleted() async throws {
        try await withSandbox { caller in
            let body = "{\"clientID\":\"a/b:c\",\"name\":\"Billing \\\"sync\\\"\",\"tokenLifetime\":60}"
            #expect(try await caller.admin("POST", "/clients", body).status == 201)
            #expect(try await caller.admin("POST", "/clients", body).error == "client_exists")
            let shown = try await caller.admin("GET", "/clients/a%2Fb%3Ac")
            #expect(shown.member("name") as? String == "Billing \"sync\"")
            #expect(shown.member("tokenLifetime") as? Int == 60)
            let changed = try await caller.admin(
                "PATCH", "/clients/a%2Fb:c", "{\"scopes\":[\"read\"],\"tokenLifetime\":120}")
            #expect(changed.member("scopes") as? [String] == ["read"])
            let all = try await caller.admin("GET", "/clients").member("clients") as? [[String: Any]]
            #expect(all?.map { $0["clientID"] as? String } == ["a/b:c"])
            #expect(try await caller.admin("DELETE", "/clients/a%2Fb:c").status == 204)
            for method in ["GET", "PATCH", "DELETE"] {
                #expect(try await caller.admin(method, "/clients/a%2Fb:c").error == "client_not_found")
            }
        }
    }

    @Test func hugeAdminBodiesAreRefused() async throws {
        try await withSandbox { caller in
            let body = "{\"name\":\"" + String(repeating: "x", count: 1 << 20) + "\"}"
            let answer = try await caller.admin("POST", "/clients", body)
            #expect(answer.status == 413)
        }
    }
}
