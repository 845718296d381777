import KeyoverCore
import KeyoverSealing

/// The calls of the KV engine that Keyover uses, signed in.
struct KVClient: Sendable {
    private let wire: KVWire
    private let session: KVSession

    /// Where the entries lie.
    var location: KVLocation { wire.location }
    /// What refusals mean.
    var failures: KVFailures { wire.failures }

    /// A client of the server of a place; nothing is sent yet.
    init(_ location: KVLocation, _ reach: VaultReach) throws(VaultError) {
        wire = try KVWire(location, reach)
        session = KVSession(wire, reach)
    }

    /// The newest version of an entry, and the answer it was found in; `nil` when the entry was never there.
    func read(
        _ entry: String, _ deadline: KVDeadline
    ) async throws(VaultError) -> (KVAnswers.Reading, StoreAnswer)? {
        let path = location.path(.data, entry)
        let answer = try await send("GET", .data, entry, ["read"], nil, deadline)
        guard answer.status == 200 || answer.status == 404 else { throw failures.error(answer, path) }
        guard let content = wire.content(KVAnswers.Reading.self, answer) else { throw failures.malformed(path) }
        if let reading = content.data { return (reading, answer) }
        guard answer.status == 404, content.errors == [] else { throw failures.error(answer, path) }
        return nil
    }

    /// What an answer to ``read(_:_:)`` gives out in plain; `nil` when it is not what the API promises.
    func publication(_ answer: StoreAnswer) -> KVAnswers.Publication.Fields? {
        wire.content(KVAnswers.Publication.self, answer)?.data?.data
    }

    /// All that is known of an entry's versions; `nil` when the entry was never there.
    func metadata(_ entry: String, _ deadline: KVDeadline) async throws(VaultError) -> KVAnswers.Metadata? {
        let path = location.path(.metadata, entry)
        let answer = try await send("GET", .metadata, entry, ["read"], nil, deadline)
        guard answer.status == 200 || answer.status == 404 else { throw failures.error(answer, path) }
        guard let content = wire.content(KVAnswers.Metadata.self, answer) else { throw failures.malformed(path) }
        if answer.status == 200, let metadata = content.data { return metadata }
        guard answer.status == 404, content.errors == [] else { throw failures.error(answer, path) }
        return nil
    }

    /// Stores a version on top of the one of a number, zero for none.
    func store(
        _ fields: KVBody, _ entry: String, onTopOf version: Int, _ deadline: KVDeadline
    ) async throws(VaultError) {
        let path = location.path(.data, entry)
        var (body, options) = (KVBody(), KVBody())
        options.add("cas", version)
        body.add("options", options)
        body.add("data", fields)
        let answer = try await send("POST", .data, entry, ["create", "update"], body.bytes, deadline)
        if failures.isConflict(answer) { throw .changedMeanwhile(path) }
        // An engine of version 1 takes everything, and says nothing.
        if answer.status == 204 { throw failures.noEngine }
        guard answer.status == 200 else { throw failures.error(answer, path) }
        guard let stored = wire.content(KVAnswers.Version.self, answer)?.data, stored.version == version + 1 else {
            throw failures.malformed(path)
        }
        guard stored.deletedAt.isEmpty else {
            throw VaultError(
                .invalid, "the engine \(location.mount) deletes what is stored in it after a time",
                remedy:
                    "turn that off: bao write \(location.mount)/config delete_version_after=0s; then run the command again"
            )
        }
    }

    /// Destroys versions of an entry; what they held is gone for everybody.
    func destroy(_ versions: [Int], _ entry: String, _ deadline: KVDeadline) async throws(VaultError) {
        var body = KVBody()
        body.add("versions", versions)
        let answer = try await send("POST", .destroy, entry, ["update"], body.bytes, deadline)
        guard answer.status == 204 || answer.status == 200 else {
            throw failures.error(answer, location.path(.destroy, entry))
        }
    }

    /// Lets the engine forget that an entry ever was.
    func forget(_ entry: String, _ deadline: KVDeadline) async throws(VaultError) {
        let answer = try await send("DELETE", .metadata, entry, ["delete"], nil, deadline)
        guard answer.status == 204 || answer.status == 200 || answer.status == 404 else {
            throw failures.error(answer, location.path(.metadata, entry))
        }
    }

    /// The names in a folder; those that end in a slash are folders.
    func list(_ folder: String, _ deadline: KVDeadline) async throws(VaultError) -> [String] {
        let path = location.path(.metadata, folder)
        let answer = try await send("GET", .metadata, folder + "/", query: "?list=true", ["list"], nil, deadline)
        guard answer.status == 200 || answer.status == 404 else { throw failures.error(answer, path) }
        guard let content = wire.content(KVAnswers.Listing.self, answer) else { throw failures.malformed(path) }
        if answer.status == 200, let listing = content.data { return listing.keys }
        guard answer.status == 404, content.errors == [] else { throw failures.error(answer, path) }
        return []
    }

    /// One call; a token that the server refuses is replaced once where that is possible.
    ///
    /// What was refused did nothing, so that it may be sent again.
    private func send(
        _ method: String, _ door: KVLocation.Door, _ entry: String, query: String = "", _ capabilities: [String],
        _ body: [UInt8]?, _ deadline: KVDeadline
    ) async throws(VaultError) -> StoreAnswer {
        let path = location.path(door, entry)
        let token = try await session.token()
        let answer = try await wire.send(method, path, query: query, body, token, deadline)
        guard answer.status == 403 else { return answer }
        if let fresh = try await session.replacement(for: token) {
            let second = try await wire.send(method, path, query: query, body, fresh, deadline)
            guard second.status == 403 else { return second }
        }
        throw failures.denied(capabilities, door, path)
    }
}
