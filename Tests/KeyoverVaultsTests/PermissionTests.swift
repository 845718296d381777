import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

@Suite struct PermissionTests {
    @Test(arguments: [
        ("", 0o750), ("", 0o701), ("/vault.db", 0o640), ("/vault.db", 0o604), ("/vault.key.age", 0o644),
        ("/vault.db-wal", 0o620), ("/vault.db-shm", 0o666),
    ]) func whatOthersCanGetAtIsRefusedWithTheCommandToRun(file: String, mode: Int) async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("a"), expecting: nil)
        try setMode(mode, vault.path + file)
        let error = await failure { _ = try await vault.reopened() }
        #expect(error?.code == .looseFilePermissions)
        #expect(error?.remedy?.contains("chmod") == true)
        #expect(error?.message.contains(file.split(separator: "/").last ?? "vault") == true)
        #expect(try await vault.fileVault.verify().isSound == false || file == "/vault.key.age")
    }

    @Test(arguments: ["vault.db", "vault.key.age"])
    func aLinkInPlaceOfAFileIsNotFollowed(name: String) async throws {
        let vault = try await TestVault()
        let (file, elsewhere) = ("\(vault.path)/\(name)", vault.scratch.path + "/elsewhere")
        try FileManager.default.moveItem(atPath: file, toPath: elsewhere)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: elsewhere)
        #expect(await failure { _ = try await vault.reopened() }?.code == .looseFilePermissions)
    }

    @Test func aLinkInPlaceOfTheFolderIsNotFollowed() async throws {
        let vault = try await TestVault()
        let link = vault.scratch.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: vault.path)
        let error = await failure {
            _ = try await FileVault.open(at: link, VaultAccess(identities: [vault.identity]))
        }
        #expect(error?.code == .looseFilePermissions)
    }

    @Test func aLinkAboveTheFolderIsFine() async throws {
        let vault = try await TestVault()
        let link = vault.scratch.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: vault.scratch.path)
        _ = try await FileVault.open(at: link + "/vault", VaultAccess(identities: [vault.identity], pin: vault.pin))
    }

    @Test func aPipeInPlaceOfAFileHangsNobody() async throws {
        let vault = try await TestVault()
        for name in ["vault.db", "vault.key.age"] {
            let file = "\(vault.path)/\(name)"
            try FileManager.default.moveItem(atPath: file, toPath: file + ".aside")
            #expect(mkfifo(file, 0o600) == 0)
            #expect(await failure { _ = try await vault.reopened() }?.code == .looseFilePermissions)
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.moveItem(atPath: file + ".aside", toPath: file)
        }
    }

    @Test func somebodyElsesVaultIsRefused() async throws {
        try #require(geteuid() == 0, "only root can give a folder away; run the tests as root to cover this")
        let vault = try await TestVault()
        #expect(chown(vault.path, 65534, 65534) == 0)
        let error = await failure { _ = try await vault.reopened() }
        #expect(error?.code == .looseFilePermissions)
        #expect(error?.message.contains("uid 65534") == true)
        #expect(chown(vault.path, 0, 0) == 0)
    }

    @Test func whereThereIsNoVaultThatIsSaid() async throws {
        let scratch = try Scratch()
        let identity = try X25519Identity.generate()
        for (path, command) in [(scratch.path + "/none", "keyover vault restore"), (scratch.path, "keyover init")] {
            let error = await failure { _ = try await FileVault.open(at: path, VaultAccess(identities: [identity])) }
            #expect(error?.code == .missing)
            #expect(error?.remedy?.contains(command) == true)
        }
    }
}
