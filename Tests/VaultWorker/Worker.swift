import Glibc
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// What the worker was told to do makes no sense.
struct UsageError: Error {
    let message: String
}

/// Raises the generation of a client by one, again and again, and writes a dot for each time that it was told that the
/// change is stored.
enum Worker {
    private static func setting(_ name: String) -> String? {
        getenv("KEYOVER_" + name).map { String(cString: $0) }
    }

    private static func demanded(_ name: String) throws -> String {
        guard let value = setting(name) else { throw UsageError(message: "KEYOVER_\(name) is not set") }
        return value
    }

    private static func access() throws -> VaultAccess {
        var pin = VaultPin(vaultID: UUIDv7(try demanded("VAULT_ID")), commitment: nil)
        pin.commitments = VaultPin.commitments(try demanded("KEY_COMMITMENT")) ?? []
        let state = try demanded("STATE_DIR")
        // Many wait for one record here; how long a call may take is not what is measured.
        var reach = VaultReach(
            patience: .seconds(60), user: setting("VAULT_USER"), caFile: setting("CA_FILE"), stateDirectory: state)
        reach.credential = try setting("VAULT_CREDENTIAL").map { path in
            try PrivateFile.read(path, limit: 1 << 16).withUnsafeSecretBytes { bytes in
                SecretValue(copying: bytes.prefix { $0 != UInt8(ascii: "\n") })
            }
        }
        if let chain = setting("VAULT_CERTIFICATE"), let key = setting("VAULT_CERTIFICATE_KEY") {
            reach.certificate = (chain, key)
        }
        return VaultAccess(
            identities: try IdentityFile.read(try demanded("IDENTITY_FILE")), pin: pin, stateDirectory: state,
            reach: reach)
    }

    static func run() async throws {
        guard CommandLine.arguments.count == 3, let client = ClientName(CommandLine.arguments[1]),
            let times = Int(CommandLine.arguments[2]), let url = VaultURL(try demanded("VAULT"))
        else { throw UsageError(message: "usage: keyover-vault-worker CLIENT TIMES") }
        let vault = try await VaultRegistry.open(url, try access())
        var left = times
        var conflicts = 0
        while left > 0 {
            guard var current = try await vault.read(client) else { throw UsageError(message: "there is no \(client)") }
            current.record.generation += 1
            do {
                _ = try await vault.write(current.record, expecting: current.revision)
            } catch {
                guard error.code == .conflict else { throw error }
                // Eight that try again at once would mostly be in each other's way.
                conflicts += 1
                usleep(useconds_t.random(in: 0...min(250_000, 8_000 << min(conflicts, 6))))
                continue
            }
            conflicts = 0
            guard write(1, ".", 1) == 1 else { throw UsageError(message: "nobody listens") }
            left -= 1
        }
    }

    /// Ends the process as soon as nobody holds the other end of standard input any more.
    static func endWithItsOwner() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { _ in
                var byte: UInt8 = 0
                while read(0, &byte, 1) > 0 {}
                _exit(2)
            }, nil)
    }
}
