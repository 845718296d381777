import KeyoverCore

/// One key of a policy file: what it takes and what it changes.
struct PolicyKey: Sendable {
    let name: String
    let wants: String
    /// Applies a value; `false` when the key does not take it.
    let apply: @Sendable (YAMLMapping.Value, inout RotationPolicy) -> Bool

    /// The registry: a new key of a policy is one line here.
    static let all: [PolicyKey] = [
        .text("name", \.name),
        PolicyKey(name: "summary", wants: "a text") { value, _ in value.text != nil },
        .span("maximum_age", \.maximumAge),
        .span("act_before", \.actBefore),
        .span("minimum_overlap", \.minimumOverlap),
        .span("maximum_overlap", \.maximumOverlap),
        .span("consumer_cache", \.consumerCache),
        .span("soak", \.soak),
        PolicyKey(name: "verifying_exchanges", wants: "a number from 1 to 100") { value, policy in
            guard let count = value.text.flatMap({ Int($0) }), (1...100).contains(count) else { return false }
            policy.verifyingExchanges = count
            return true
        },
        .span("verification_patience", \.verificationPatience),
        PolicyKey(name: "allowed_scopes", wants: "a list of scopes") { value, policy in
            guard case .list(let scopes) = value, !scopes.contains("") else { return false }
            policy.allowedScopes = scopes
            return true
        },
    ]

    private typealias SpanPath = WritableKeyPath<RotationPolicy, TimeSpan> & Sendable
    private typealias TextPath = WritableKeyPath<RotationPolicy, String> & Sendable

    private static func span(_ name: String, _ path: any SpanPath) -> Self {
        Self(name: name, wants: "a time such as 90d, 12h, 10m or 30s") { value, policy in
            guard let span = value.text.flatMap({ TimeSpan($0) }) else { return false }
            policy[keyPath: path] = span
            return true
        }
    }

    private static func text(_ name: String, _ path: any TextPath) -> Self {
        Self(name: name, wants: "a text") { value, policy in
            guard let text = value.text, !text.isEmpty else { return false }
            policy[keyPath: path] = text
            return true
        }
    }
}

extension YAMLMapping.Value {
    /// The text, when it is one.
    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }
}
