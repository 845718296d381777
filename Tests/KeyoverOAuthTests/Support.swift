import KeyoverCore
import KeyoverOAuth
import KeyoverSandbox
import Testing

extension SecretValue {
    /// A value for a test.
    init(_ text: String) {
        self.init(copying: Array(text.utf8))
    }

    /// The value as text, for comparisons in tests.
    var text: String {
        withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// Runs a test with a sandbox of its own.
func withSandbox(
    _ profile: SandboxProfile = .calm, _ body: (SandboxServer) async throws -> Void
) async throws {
    let sandbox = try await SandboxServer.start(SandboxConfiguration(profile: profile))
    do {
        try await body(sandbox)
    } catch {
        await sandbox.stop()
        throw error
    }
    await sandbox.stop()
}

/// A secret that must never be seen.
let canary = SecretValue("canary+%&=:/ \"~*'()!-._SeCrEtVaLuE")

/// Expects that nothing that people or logs can see of the subject holds a telling piece of the secret.
func expectHidden(_ secret: SecretValue, in subject: Any, sourceLocation: SourceLocation = #_sourceLocation) {
    var text = ""
    dump(subject, to: &text)
    text += String(describing: subject) + String(reflecting: subject)
    let value = Array(secret.text)
    let width = min(8, value.count)
    for start in 0...value.count - width {
        #expect(!text.contains(String(value[start..<start + width])), sourceLocation: sourceLocation)
    }
}
