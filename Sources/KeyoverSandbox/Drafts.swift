/// What a caller says about a client to be registered or changed.
struct ClientDraft: Codable, Sendable {
    var clientID: String?
    var name: String?
    var scopes: [String]?
    var tokenLifetime: Int?
    var enabled: Bool?
    var secret: String?

    /// Refuses what RFC 6749, appendix A, does not allow, and what would not fit into a path or a header.
    func validate() throws(SandboxError) {
        if let clientID, !(1...200).contains(clientID.utf8.count) || !clientID.utf8.allSatisfy(isPrintable) {
            throw .invalid("a clientID has 1 to 200 printable ASCII characters")
        }
        if let name, name.utf8.count > 200 || name.unicodeScalars.contains(where: isControl) {
            throw .invalid("a name has at most 200 bytes and no control characters")
        }
        for scope in scopes ?? [] where scope.isEmpty || !scope.utf8.allSatisfy(isScopeByte) {
            throw .invalid("a scope has visible ASCII characters other than \" and \\")
        }
        if (scopes ?? []).joined(separator: " ").utf8.count > 4096 {
            throw .invalid("scopes have at most 4096 bytes together")
        }
        if let tokenLifetime, !(1...31_536_000).contains(tokenLifetime) {
            throw .invalid("tokenLifetime lies between 1 and 31536000 seconds")
        }
        if let secret {
            try validateValue(secret)
        }
    }
}

/// What a caller says about a secret to be added.
struct SecretDraft: Codable, Sendable {
    var displayName: String?
    var expiresAt: SandboxInstant?
    var secret: String?

    func validate(profile: SandboxProfile, at now: SandboxInstant) throws(SandboxError) {
        if let displayName, displayName.utf8.count > 200 || displayName.unicodeScalars.contains(where: isControl) {
            throw .invalid("a displayName has at most 200 bytes and no control characters")
        }
        if let expiresAt, expiresAt <= now {
            throw .invalid("expiresAt is over already")
        }
        guard let secret else { return }
        guard profile.callerMayChooseSecret else {
            throw .invalid("secrets are minted here", remedy: "set the knob callerMayChooseSecret to bring your own")
        }
        try validateValue(secret)
    }
}

private func validateValue(_ secret: String) throws(SandboxError) {
    guard (1...512).contains(secret.utf8.count), secret.utf8.allSatisfy(isPrintable) else {
        throw .invalid("a secret has 1 to 512 printable ASCII characters")
    }
}

private func isPrintable(_ byte: UInt8) -> Bool {
    (0x20...0x7E).contains(byte)
}

private func isScopeByte(_ byte: UInt8) -> Bool {
    isPrintable(byte) && byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control
}
