import FoundationEssentials
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import VaultServers

/// A real server of one backend for one test, with a place on it.
enum ServerRun {
    /// The backends, by the words that their URLs begin with.
    static let schemes = VaultServers.all.map { $0.scheme }
    /// Those that are servers.
    static let remoteSchemes = schemes.filter { $0 != FileBackend.scheme }

    /// Carries the body out with the server running, and stops it however that ends.
    static func with(
        _ scheme: String, _ body: (any VaultServer, VaultPlace) async throws -> Void
    ) async throws {
        guard let kind = VaultServers.server(for: scheme) else { throw TestFailure("there is no server for \(scheme)") }
        let server = try await kind.start()
        let outcome: Swift.Result<Void, any Error>
        do {
            outcome = .success(try await body(server, try await server.place()))
        } catch {
            outcome = .failure(error)
        }
        await server.stop()
        try outcome.get()
    }

    /// How many entries of a vault lie at a place; what nobody can open counts too.
    static func entries(at url: VaultURL, _ reach: VaultReach) async throws -> Int {
        guard let backend = try VaultRegistry.backend(of: url) as? any EntryBackend.Type else {
            throw TestFailure("\(url) is no vault of entries")
        }
        return try await entries(backend, url, reach)
    }

    private static func entries<Backend: EntryBackend>(
        _ backend: Backend.Type, _ url: VaultURL, _ reach: VaultReach
    ) async throws -> Int {
        let store = try await backend.store(url, reach)
        var count = try await store.entries(.records).count + store.entries(.allReports).count
        for name in [EntryName.keys, .metadataKeys] where try await store.entry(name) != nil { count += 1 }
        return count
    }
}

extension VaultPlace {
    /// The bytes of every file that the backend keeps.
    func stored() -> [String: Data] {
        var files: [String: Data] = [:]
        for folder in storage {
            for name in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] {
                let path = folder + "/" + name
                if let data = try? Data(contentsOf: URL(filePath: path)) { files[path] = data }
            }
        }
        return files
    }
}
