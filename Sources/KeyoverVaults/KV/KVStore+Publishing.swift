import FoundationEssentials
public import KeyoverCore
import KeyoverSealing

extension KVStore: PublishingStore {
    /// Compares the plain fields of a client's entry with its sealed record, and looks for old versions.
    public func findings(
        at place: RecordPlace, published: @Sendable ([UInt8]) throws(VaultError) -> PublishedSecret?
    ) async throws(VaultError) -> [VaultVerification.Finding] {
        let deadline = KVDeadline(patience)
        let entry = EntryName.record(place).path
        guard let (reading, answer) = try await client.read(entry, deadline),
            let stored = try state(reading, entry).entry
        else { return [] }
        let path = client.location.path(.data, entry)
        var findings: [VaultVerification.Finding] = []
        guard let fields = client.publication(answer) else { throw client.failures.malformed(path) }
        if try !fields.isSame(as: published(stored.bytes)) {
            findings.append(
                .init(
                    "\(path) gives out something else than the sealed record beside it",
                    remedy: "find out who can write there besides Keyover, then replace the secret: "
                        + "keyover rotate \(place.name)"))
        }
        let leftovers = try await client.metadata(entry, deadline)?.leftovers ?? []
        if !leftovers.isEmpty {
            let versions = leftovers.map(String.init).joined(separator: ",")
            findings.append(
                .init(
                    "\(leftovers.count) old version\(leftovers.count == 1 ? "" : "s") of \(path) can still be read",
                    remedy: "run bao kv destroy -versions=\(versions) -mount=\(client.location.mount) "
                        + client.location.entryPath(entry)))
        }
        return findings
    }
}

extension KVAnswers.Publication.Fields {
    /// Whether the fields give out exactly this.
    fileprivate func isSame(as published: PublishedSecret?) -> Bool {
        guard let published else {
            return clientID == nil && secret == nil && secretInBase64 == nil && generation == nil && tokenURL == nil
        }
        return clientID == published.clientID && generation == "\(published.generation)"
            && tokenURL == published.tokenURL && (secret == nil) != (secretInBase64 == nil)
            && bytes == published.secret
    }

    private var bytes: SecretValue? {
        if let secret { return SecretValue(copying: secret.utf8) }
        return secretInBase64.flatMap { Data(base64Encoded: $0) }.map { SecretValue(copying: $0) }
    }
}
