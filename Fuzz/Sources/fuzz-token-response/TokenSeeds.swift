import FuzzSupport

/// The inputs to begin with: what the sandbox and servers in the field answer, and what a hostile one may.
@Sendable func tokenSeeds() throws -> [String: [UInt8]] {
    let texts = [
        "granted": """
        200
        content-type: application/json
        date: Sat, 21 Nov 2026 04:45:34 GMT

        {"access_token":"t-1.aB_c-","expires_in":3600,"scope":"read write","token_type":"Bearer"}
        """,
        "granted-with-text-for-a-number": """
        200

        {"access_token":"t","token_type":"bearer","expires_in":"86400","x":[[[{"y":null}]]]}
        """,
        "invalid-client": """
        401
        www-authenticate: Basic realm="sandbox"

        {"error":"invalid_client","description":"authentication failed","error_description":"authentication failed"}
        """,
        "entra": """
        401

        {"error":"invalid_client","error_description":"AADSTS7000215","error_codes":[7000215],"trace_id":"0"}
        """,
        "throttled-for-seconds": "429\nretry-after: 17\n\n{\"error\":\"slow_down\"}",
        "throttled-until-a-date": """
        503
        date: Sunday, 06-Nov-94 08:49:37 GMT
        retry-after: Sun Nov  6 08:59:37 1994

        {"error":"temporarily_unavailable"}
        """,
        "throttled-by-okta": "429\nx-rate-limit-reset: 1795236400\n\n{\"error\":\"rate\"}",
        "throttled-by-genesys": "429\ninin-ratelimit-reset: 12\n\n{\"error\":\"rate\"}",
        "redirected": "302\nlocation: https://elsewhere.example:8443/oauth/token?x=%20\n\n",
        "redirected-to-the-secret": "307\nlocation: https://\u{5}.example/\n\n",
        "echo": "400\n\n{\"error\":\"invalid_client\",\"error_description\":\"no such secret: \u{1} or \u{2}\"}",
        "echo-of-the-header": "401\n\n{\"error\":\"\u{3}\",\"description\":\"\u{4} \u{6}\"}",
        "escapes": #"400\n\n{"error":"odd","error_description":"\u001b[31mred\u0007\r\n\u202e"}"#
            .replacing(#"\n"#, with: "\n", maxReplacements: 2),
    ]
    return texts.mapValues { Array($0.utf8) }
}
