import KeyoverCore
import KeyoverOAuth
import KeyoverSandbox
import Testing

/// The exchanger against the real sandbox, in each of its profiles.
@Suite struct SandboxExchangeTests {
    private func request(
        _ sandbox: SandboxServer, _ secret: String, _ authentication: ClientAuthentication = .basic,
        clientID: String = "billing", scopes: [String] = []
    ) -> ExchangeRequest {
        ExchangeRequest(
            tokenURL: sandbox.baseURL + "/oauth/token", clientID: clientID, secret: SecretValue(secret),
            authentication: authentication, scopes: scopes)
    }

    private func exchanger() throws -> TokenExchanger {
        TokenExchanger(http: try BoundedHTTP(), allowsLoopbackHTTP: true)
    }

    /// The error of an exchange that must fail, shown to hold nothing of the secret.
    private func failure(_ request: ExchangeRequest) async throws -> ExchangeError {
        let error = await #expect(throws: ExchangeError.self) { _ = try await exchanger().exchange(request) }
        expectHidden(request.secret, in: try #require(error))
        return try #require(error)
    }

    @Test(arguments: ClientAuthentication.allCases)
    func aGoodSecretYieldsATokenThatTheResourceTakes(authentication: ClientAuthentication) async throws {
        try await withSandbox { sandbox in
            let secret = try sandbox.createClient(clientID: "billing", scopes: ["read", "write"]).secret
            let grant = try await exchanger().exchange(request(sandbox, secret, authentication, scopes: ["read"]))
            #expect(grant.tokenType == "Bearer")
            #expect(grant.expiresIn == .seconds(3600))
            #expect(grant.scopes == ["read"])
            #expect(grant.serverDate != nil)
            try await exchanger().callCanary(url: sandbox.baseURL + "/resource?scope=read", token: grant)
            let missing = await #expect(throws: ExchangeError.self) {
                try await exchanger().callCanary(url: sandbox.baseURL + "/resource?scope=write", token: grant)
            }
            #expect(missing?.failure == .scopeInsufficient)
            var forged = grant
            forged.accessToken = SecretValue("forged-token-forged")
            let refused = await #expect(throws: ExchangeError.self) {
                try await exchanger().callCanary(url: sandbox.baseURL + "/resource", token: forged)
            }
            #expect(refused?.failure == .credentialRejected)
            expectHidden(forged.accessToken, in: try #require(refused))
        }
    }

    @Test(arguments: ClientAuthentication.allCases)
    func everyPrintableCharacterSurvivesInIdAndSecret(authentication: ClientAuthentication) async throws {
        try await withSandbox { sandbox in
            let printable = String(decoding: Array(0x20...0x7E), as: UTF8.self)
            let clientID = String(printable.dropFirst())
            _ = try sandbox.createClient(clientID: clientID, secret: printable)
            _ = try await exchanger().exchange(request(sandbox, printable, authentication, clientID: clientID))
            #expect(try sandbox.stats(clientID: clientID).secrets.first?.accepted == 1)
        }
    }

    @Test(arguments: ClientAuthentication.allCases)
    func aWrongSecretAndAnUnknownClientAreRejectedAlike(authentication: ClientAuthentication) async throws {
        try await withSandbox { sandbox in
            _ = try sandbox.createClient(clientID: "billing")
            let wrong = try await failure(request(sandbox, "wrong-secret-wrong", authentication))
            let unknown = try await failure(
                request(sandbox, "wrong-secret-wrong", authentication, clientID: "nobody"))
            for error in [wrong, unknown] {
                #expect(error.failure == .credentialRejected)
                #expect(error.answer == AnswerShape(status: 401, error: "invalid_client"))
                #expect(!error.isRetryable)
                #expect(error.remedy != nil)
            }
        }
    }

    @Test func aScopeThatIsNotAllowedIsToldApartFromAWrongSecret() async throws {
        try await withSandbox { sandbox in
            let secret = try sandbox.createClient(clientID: "billing", scopes: ["read"]).secret
            #expect(try await failure(request(sandbox, secret, scopes: ["admin"])).failure == .scopeInsufficient)
        }
    }

    @Test(arguments: SandboxProfile.presets.map(\.name))
    func anExchangeMeetsEveryProfile(name: String) async throws {
        let profile = try #require(SandboxProfile.preset(named: name))
        try await withSandbox(profile) { sandbox in
            let secret = try sandbox.createClient(clientID: "billing").secret
            var generator = SystemRandomNumberGenerator()
            let exchanger = try exchanger()
            let request = request(sandbox, secret)
            if name == "bulky" {
                #expect(try await failure(request).message.contains("longer than"))
                return
            }
            // A throttled sandbox asks for a second; the test need not wait for it.
            let grant = try await Retry(attempts: 50).run(sleep: { _ in }, using: &generator) {
                () throws(ExchangeError) in try await exchanger.exchange(request)
            }
            #expect(grant.expiresIn == (profile.expiresIn == .absent ? nil : .seconds(3600)))
            #expect(grant.scopes == (profile.omitScope ? nil : []))
        }
    }

    @Test(arguments: [
        (RefusalStyle.standard, AnswerShape(status: 401, error: "invalid_client"), FailureClass.credentialRejected),
        (.unauthorizedClient, AnswerShape(status: 401, error: "unauthorized_client"), .credentialRejected),
        (.badRequest, AnswerShape(status: 400, error: "invalid_request"), .unknown),
        (.forbidden, AnswerShape(status: 403, error: nil), .credentialRejected),
        (.accessDenied, AnswerShape(status: 403, error: "access_denied"), .credentialRejected),
        (.notFound, AnswerShape(status: 404, error: "other_error"), .notFound),
    ])
    func everyStyleOfRefusalHasItsShape(style: RefusalStyle, shape: AnswerShape, failure: FailureClass) async throws {
        var profile = SandboxProfile.calm
        profile.wrongSecret = style
        try await withSandbox(profile) { sandbox in
            _ = try sandbox.createClient(clientID: "billing")
            let error = try await self.failure(request(sandbox, "wrong-secret-wrong"))
            #expect(error.answer == shape)
            #expect(error.failure == failure)
        }
    }

    @Test(arguments: [(429, RetryAfterForm.seconds), (429, .date), (503, .seconds), (503, .date)])
    func throttlingTellsTheWaitInBothForms(status: Int, form: RetryAfterForm) async throws {
        var profile = SandboxProfile.calm
        profile.throttleNext = 1
        profile.throttleStatuses = [status]
        profile.retryAfterForms = [form]
        profile.retryAfterSeconds = 9
        profile.dateSkewSeconds = -100_000
        try await withSandbox(profile) { sandbox in
            let secret = try sandbox.createClient(clientID: "billing").secret
            let error = try await failure(request(sandbox, secret))
            guard case .rateLimited(let wait?) = error.failure else {
                Issue.record("\(error.failure)")
                return
            }
            // Dates have whole seconds, and the two are written one after the other.
            #expect((.seconds(8)...TimeSpan.seconds(10)).contains(wait))
        }
    }

    @Test func aLostTokenAnswerIsTransientAndTheRequestIsSentOnce() async throws {
        var profile = SandboxProfile.calm
        profile.loseTokenAnswers = 1
        try await withSandbox(profile) { sandbox in
            let secret = try sandbox.createClient(clientID: "billing").secret
            let error = try await failure(request(sandbox, secret))
            #expect(error.failure == .transient)
            #expect(error.answer == nil)
            #expect(try sandbox.stats(clientID: "billing").tokens.minted == 1)
        }
    }

    @Test func aServerThatIsNotThereIsTransient() async throws {
        let gone = try await SandboxServer.start()
        let request = request(gone, "some-secret-value")
        await gone.stop()
        let error = try await failure(request)
        #expect(error.failure == .transient)
        #expect((error.underlying as? HTTPFailure)?.mayHaveArrived == false)
    }

    @Test func plainHTTPIsRefusedUnlessAskedFor() async throws {
        try await withSandbox { sandbox in
            let secret = try sandbox.createClient(clientID: "billing").secret
            let strict = TokenExchanger(http: try BoundedHTTP())
            let request = request(sandbox, secret)
            let error = await #expect(throws: ExchangeError.self) { _ = try await strict.exchange(request) }
            #expect(error?.underlying is ConfigurationError)
            #expect(try sandbox.stats(clientID: "billing").secrets.first?.accepted == 0)
        }
    }
}
