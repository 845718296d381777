public import KeyoverCore

/// Files in the format age-encryption.org/v1, readable and writable with the stock `age` program.
public enum AgeFile {
    /// Encrypts to recipients; a passphrase must be alone.
    public static func encrypt(
        _ plaintext: SecretValue, to recipients: [any AgeRecipient], armored: Bool = false
    ) throws(AgeError) -> [UInt8] {
        let (header, fileKey) = try header(for: recipients)
        let file = header.bytes + (try AgePayload.encrypt(plaintext, fileKey: fileKey))
        return armored ? AgeArmor.encode(file) : file
    }

    /// Decrypts with the first identity that fits; nothing is given out before all of it is authenticated.
    public static func decrypt(_ file: [UInt8], with identities: [any AgeIdentity]) throws(AgeError) -> SecretValue {
        let binary = AgeArmor.isArmored(file) ? try AgeArmor.decode(file) : file
        let (header, payload) = try AgeHeader.parse(binary)
        return try AgePayload.decrypt(binary[payload...], fileKey: try fileKey(of: header, for: identities))
    }

    /// A header for recipients, and the fresh file key that it wraps.
    static func header(
        for recipients: [any AgeRecipient]
    ) throws(AgeError) -> (header: AgeHeader, fileKey: SecretValue) {
        guard !recipients.isEmpty else { throw AgeError(.key, "a file needs at least one recipient") }
        let fileKey = Primitives.randomSecret(FileKeyWrap.fileKeyCount)
        var stanzas: [AgeStanza] = []
        for recipient in recipients { stanzas.append(try recipient.wrap(fileKey)) }
        guard stanzas.allSatisfy(\.isWritable) else {
            throw AgeError(.key, "a recipient wants words in the header that it cannot have")
        }
        try checkScryptIsAlone(stanzas)
        return (AgeHeader(stanzas, fileKey: fileKey), fileKey)
    }

    /// The file key that the first identity that fits finds in a header, which it then authenticates.
    static func fileKey(of header: AgeHeader, for identities: [any AgeIdentity]) throws(AgeError) -> SecretValue {
        try checkScryptIsAlone(header.stanzas)
        for identity in identities {
            guard let fileKey = try identity.unwrap(header.stanzas) else { continue }
            guard header.isAuthentic(fileKey: fileKey) else {
                throw AgeError(.hmac, "the header was changed by somebody who does not know the file key")
            }
            return fileKey
        }
        throw AgeError(.noMatch, "no identity fits the file's recipients")
    }

    /// The types of a file's recipients, in the order of its header.
    public static func recipientTypes(_ file: [UInt8]) throws(AgeError) -> [String] {
        let binary = AgeArmor.isArmored(file) ? try AgeArmor.decode(file) : file
        return try AgeHeader.parse(binary).header.stanzas.map(\.type)
    }

    private static func checkScryptIsAlone(_ stanzas: [AgeStanza]) throws(AgeError) {
        guard stanzas.count == 1 || !stanzas.contains(where: { $0.type == ScryptPassphrase.type }) else {
            throw AgeError(.header, "a passphrase must be the only recipient")
        }
    }
}
