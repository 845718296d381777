import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

@Suite struct CreationTests {
    @Test func ofEightAtOnceExactlyOneMakesTheVault() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/deep/down/vault"
        let identity = try X25519Identity.generate()
        let pins = await withTaskGroup(of: VaultPin?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do throws(VaultError) {
                        return try await FileVault.create(at: path, recipients: [identity.recipient])
                    } catch {
                        #expect(error.code == .exists)
                        return nil
                    }
                }
            }
            return await group.reduce(into: []) { $0 += [$1].compactMap(\.self) }
        }
        #expect(pins.count == 1)
        let vault = try await FileVault.open(at: path, VaultAccess(identities: [identity], pin: pins.first))
        #expect(try await vault.verify().findings == [])
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/deep/down")
        #expect(left == ["vault"])
    }

    @Test func nothingIsOverwritten() async throws {
        let scratch = try Scratch()
        let identity = try X25519Identity.generate()
        for name in ["file", "folder", "link"] {
            let path = "\(scratch.path)/\(name)"
            switch name {
            case "file": try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            case "link": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/nowhere")
            default: try FileManager.default.createDirectory(atPath: path + "/mine", withIntermediateDirectories: true)
            }
            let error = await failure { _ = try await FileVault.create(at: path, recipients: [identity.recipient]) }
            #expect(error?.code == .exists, "\(name)")
        }
        #expect(try String(contentsOfFile: scratch.path + "/file", encoding: .utf8) == "mine")
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/folder/mine"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 3)
    }

    @Test func anEmptyFolderBecomesTheVaultWithItsOwnMode() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/vault"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
        let identity = try X25519Identity.generate()
        _ = try await FileVault.create(at: path + "/", recipients: [identity.recipient])
        #expect(try mode(path) == 0o700)
    }

    @Test func aFailedCreationLeavesNothing() async throws {
        let scratch = try Scratch()
        let passphrase = try ScryptPassphrase(SecretValue(copying: "correct horse".utf8), workFactor: 10)
        let identity = try X25519Identity.generate()
        let error = await failure {
            // A passphrase must be the only recipient.
            _ = try await FileVault.create(
                at: scratch.path + "/vault", recipients: [identity.recipient, passphrase])
        }
        #expect(error?.code == .invalid)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test func aPassphraseOpensItsVaultAndNoOther() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/vault"
        let right = try ScryptPassphrase(SecretValue(copying: "correct horse".utf8), workFactor: 10)
        let wrong = try ScryptPassphrase(SecretValue(copying: "battery staple".utf8), workFactor: 10)
        let pin = try await FileVault.create(at: path, recipients: [right])
        let vault = try await FileVault.open(at: path, VaultAccess(identities: [right], pin: pin))
        #expect(try await vault.status().audience.full == [.passphrase])
        let error = await failure { _ = try await FileVault.open(at: path, VaultAccess(identities: [wrong])) }
        #expect(error?.code == .locked)
    }

    @Test func filesArePrivateFromTheFirstInstantWhateverTheUmask() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/vault"
        await #expect(processExitsWith: .success) { [path = path as String] in
            umask(0)
            let identity = try X25519Identity.generate()
            let pin = try await FileVault.create(at: path, recipients: [identity.recipient])
            let vault = try await FileVault.open(
                at: path, VaultAccess(identities: [identity], pin: pin, stateDirectory: path + ".state"))
            _ = try await vault.write(SampleRecords.client("a"), expecting: nil)
            for name in ["vault.db", "vault.db-wal", "vault.db-shm", "vault.key.age"] {
                #expect(try mode("\(path)/\(name)") == 0o600, "\(name)")
            }
            #expect(try mode(path) == 0o700)
            #expect(try mode(path + ".state") == 0o700)
            for name in try FileManager.default.contentsOfDirectory(atPath: path + ".state") {
                #expect(try mode("\(path).state/\(name)") == 0o600, "\(name)")
            }
        }
    }

    @Test func theDatabaseIsNamedAndNumberedAsDocumented() async throws {
        let vault = try await TestVault()
        #expect(try vault.peek("PRAGMA application_id") == [0x4B65_7976])
        #expect(try vault.peek("PRAGMA user_version") == [1])
        #expect(try vault.peek("PRAGMA journal_mode") == ["wal"])
        let text = try String(contentsOfFile: vault.path + "/vault.key.age", encoding: .utf8)
        #expect(text.hasPrefix("-----BEGIN AGE ENCRYPTED FILE-----\n"))
    }
}
