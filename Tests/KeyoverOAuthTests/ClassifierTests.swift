import KeyoverCore
import Testing

@testable import KeyoverOAuth

/// What answers are read as.
@Suite struct ClassifierTests {
    /// Status, body and the class that they mean.
    private static let table: [(Int, OAuthErrorBody?, FailureClass)] = [
        (401, OAuthErrorBody(error: "invalid_client"), .credentialRejected),
        (400, OAuthErrorBody(error: "invalid_client"), .credentialRejected),
        (403, OAuthErrorBody(error: "access_denied"), .credentialRejected),
        (401, OAuthErrorBody(error: "unauthorized_client"), .credentialRejected),
        (400, OAuthErrorBody(error: "unauthorized_client"), .credentialRejected),
        (400, OAuthErrorBody(error: "invalid_grant"), .credentialRejected),
        (401, nil, .credentialRejected), (403, nil, .credentialRejected), (400, nil, .credentialRejected),
        (400, OAuthErrorBody(error: "invalid_scope"), .scopeInsufficient),
        (400, OAuthErrorBody(error: "scope_invalid"), .scopeInsufficient),
        (400, OAuthErrorBody(error: "invalid_request"), .unknown),
        (400, OAuthErrorBody(error: "unsupported_grant_type"), .unknown),
        (404, OAuthErrorBody(error: "other_error"), .notFound), (404, nil, .notFound),
        (400, OAuthErrorBody(error: "temporarily_unavailable"), .transient),
        (500, OAuthErrorBody(error: "invalid_client"), .transient), (502, nil, .transient), (503, nil, .transient),
        (504, nil, .transient), (408, nil, .transient), (429, nil, .rateLimited(retryAfter: nil)),
        (405, nil, .unknown), (415, nil, .unknown), (200, nil, .unknown),
        (401, OAuthErrorBody(error: "invalid_client", codes: [7_000_215]), .credentialRejected),
        (401, OAuthErrorBody(error: "invalid_client", codes: [7_000_222]), .credentialRejected),
        (401, OAuthErrorBody(error: "unauthorized_client", codes: [7_000_112]), .clientDisabled),
        (400, OAuthErrorBody(error: "unauthorized_client", codes: [700_016]), .notFound),
        (400, OAuthErrorBody(error: "invalid_request", codes: [70_011]), .scopeInsufficient),
        (400, OAuthErrorBody(error: "invalid_request", codes: [90_055]), .rateLimited(retryAfter: nil)),
    ]

    @Test(arguments: table.indices)
    func anAnswerIsReadAsItsClass(row: Int) {
        let (status, body, expected) = Self.table[row]
        #expect(FailureClassifier.failure(status: status, body: body, retryAfter: nil) == expected, "row \(row)")
    }

    @Test func aWaitMakes503RateLimitedToo() {
        for status in [429, 503] {
            let read = FailureClassifier.failure(status: status, body: nil, retryAfter: .seconds(3))
            #expect(read == .rateLimited(retryAfter: .seconds(3)))
        }
    }

    @Test func aResourceThatSays403MissesAScope() {
        #expect(FailureClassifier.resourceFailure(status: 403, retryAfter: nil) == .scopeInsufficient)
        #expect(FailureClassifier.resourceFailure(status: 401, retryAfter: nil) == .credentialRejected)
        #expect(FailureClassifier.resourceFailure(status: 500, retryAfter: nil) == .transient)
    }

    @Test func oddMembersOfAnErrorBodyAreLeftOut() throws {
        let body = Array(#"{"error":{"code":404},"error_codes":"no","description":"said","x":[1]}"#.utf8)
        let read = try #require(BoundedJSON.object(OAuthErrorBody.self, from: body, depth: 16))
        #expect(read == OAuthErrorBody(error: nil, description: "said"))
    }

    // MARK: Retry-After

    private func wait(_ headers: [String: String]) -> TimeSpan? {
        let received = Timestamp(millisecondsSinceEpoch: 784_111_777_000)
        let answer = HTTPAnswer(status: 429, headers: headers, body: [], sentAt: received, receivedAt: received)
        return FailureClassifier.retryAfter(in: answer)
    }

    @Test func retryAfterIsReadInBothForms() {
        #expect(wait(["retry-after": "120"]) == .seconds(120))
        #expect(wait(["retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"]) == .seconds(60))
        #expect(wait([:]) == nil)
    }

    @Test func aDateIsReadByTheServersOwnClock() {
        let wrongClock = ["date": "Fri, 01 Jan 2010 00:00:00 GMT", "retry-after": "Fri, 01 Jan 2010 00:00:09 GMT"]
        #expect(wait(wrongClock) == .seconds(9))
    }

    @Test func aWaitIsNeitherNegativeNorEndless() {
        #expect(wait(["retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"]) == .zero)
        #expect(wait(["retry-after": "999999999999"]) == .hours(1))
        #expect(wait(["retry-after": "Sun, 06 Nov 2094 08:49:37 GMT"]) == .hours(1))
    }

    @Test(arguments: ["", "-1", "1.5", "soon", "99999999999999999999", "+3", " 3", "٣"])
    func nonsenseIsNoWait(text: String) {
        #expect(wait(["retry-after": text]) == nil)
    }

    @Test func theFieldsOfOktaAndGenesysAreReadWhereRetryAfterIsMissing() {
        #expect(wait(["x-rate-limit-reset": "784111787"]) == .seconds(10))
        #expect(wait(["inin-ratelimit-reset": "30"]) == .seconds(30))
        #expect(wait(["inin-ratelimit-reset": "30", "retry-after": "5"]) == .seconds(5))
    }

    // MARK: Dates

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func allFormsOfADateMeanTheSame(text: String) {
        #expect(HTTPDate.parse(text) == Timestamp(millisecondsSinceEpoch: 784_111_777_000))
    }

    @Test(arguments: [
        "", "now", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 6 November 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-+4 08:49:37 GMT", "Sunday, 06-Nov--4 08:49:37 GMT",
    ])
    func nonsenseIsNoDate(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}
