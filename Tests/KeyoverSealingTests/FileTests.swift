import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Testing

@Suite struct FileTests {
    private func code(_ body: () throws -> Void) -> VaultError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? VaultError)?.code
        }
    }

    @Test func anIdentityFileIsReadAsAgeReadsIt() throws {
        let scratch = try Scratch()
        let (one, other) = (try X25519Identity.generate(), try X25519Identity.generate())
        let text = "# created: today\n\n\(one.encoded.text)\r\n#\(other.encoded.text)\n\(other.encoded.text)"
        let path = try scratch.write("identity", text, mode: 0o400)
        let identities = try IdentityFile.read(path).compactMap { $0 as? X25519Identity }
        #expect(identities.map(\.recipient) == [one.recipient, other.recipient])
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o666, 0o644])
    func anIdentityThatOthersCanGetAtIsRefused(mode: Int) throws {
        let scratch = try Scratch()
        let path = try scratch.write("identity", try X25519Identity.generate().encoded.text, mode: mode)
        #expect(code { _ = try IdentityFile.read(path) } == .looseFilePermissions)
    }

    @Test func linksFoldersAndPipesAreNoIdentity() throws {
        let scratch = try Scratch()
        let path = try scratch.write("identity", try X25519Identity.generate().encoded.text)
        try FileManager.default.createSymbolicLink(atPath: scratch.path + "/link", withDestinationPath: path)
        #expect(mkfifo(scratch.path + "/pipe", 0o600) == 0)
        for name in ["/link", "/pipe", ""] {
            #expect(code { _ = try IdentityFile.read(scratch.path + name) } == .looseFilePermissions, "\(name)")
        }
        #expect(code { _ = try IdentityFile.read(scratch.path + "/none") } == .missing)
    }

    @Test(arguments: ["", "# nothing\n", "AGE-SECRET-KEY-PQ-1HZLGZ\n", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "x"])
    func aFileWithoutAUsableIdentityOpensNothing(text: String) throws {
        let scratch = try Scratch()
        let path = try scratch.write("identity", text)
        #expect(code { _ = try IdentityFile.read(path) } == .locked)
    }

    @Test func aServicesCredentialMayBeReadableForItsGroup() throws {
        let scratch = try Scratch()
        let text = try X25519Identity.generate().encoded.text
        _ = try scratch.write("keyover.identity", text, mode: 0o440)
        let isRoot = geteuid() == 0
        #expect(
            code { _ = try IdentityFile.readCredential("keyover.identity", in: scratch.path) }
                == (isRoot ? nil : .looseFilePermissions))
        _ = try scratch.write("keyover.identity", text, mode: 0o444)
        #expect(
            code { _ = try IdentityFile.readCredential("keyover.identity", in: scratch.path) } == .looseFilePermissions)
        _ = try scratch.write("keyover.identity", text, mode: 0o400)
        try FileManager.default.setAttributes([.posixPermissions: 0o770], ofItemAtPath: scratch.path)
        #expect(
            code { _ = try IdentityFile.readCredential("keyover.identity", in: scratch.path) } == .looseFilePermissions)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: scratch.path)
    }

    @Test func theMarkOnlyRises() throws {
        let scratch = try Scratch()
        let mark = HighWaterMark(stateDirectory: scratch.path + "/a/b", vaultID: SampleRecords.id(1))
        #expect(try mark.read() == nil)
        for (raised, expected) in [
            (VaultMark(epoch: 1, counter: 5), "1.5"), (VaultMark(epoch: 1, counter: 4), "1.5"),
            (VaultMark(epoch: 2, counter: 1), "2.1"), (VaultMark(epoch: 1, counter: 99), "2.1"),
        ] {
            try mark.raise(to: raised)
            #expect(try mark.read()?.description == expected)
        }
        let other = HighWaterMark(stateDirectory: scratch.path + "/a/b", vaultID: SampleRecords.id(2))
        #expect(try other.read() == nil)
    }

    @Test func marksRaisedAtOnceEndAtTheHighest() async throws {
        let scratch = try Scratch()
        let mark = HighWaterMark(stateDirectory: scratch.path + "/state", vaultID: SampleRecords.id(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for counter in 1...60 {
                group.addTask { try mark.raise(to: VaultMark(epoch: 1, counter: UInt64(counter))) }
            }
            try await group.waitForAll()
        }
        #expect(try mark.read() == VaultMark(epoch: 1, counter: 60))
    }

    @Test(arguments: [
        ("file:/a/b", "file", "/a/b"), ("file:///a", "file", "/a"), ("/a", "file", "/a"), ("./a", "file", "./a"),
        ("etcd://host:2379/x", "etcd", "//host:2379/x"), ("file:a b%20", "file", "a b%20"),
    ]) func vaultURLsAreRead(text: String, scheme: String, location: String) {
        #expect(VaultURL(text) == VaultURL(scheme: scheme, location: location))
    }

    @Test(arguments: ["", "a", "file:", ":a", "FILE:/a", "file://host/a", "fi le:/a", "file:/a\n", "file:/a\0b"])
    func malformedVaultURLsAreRefused(text: String) {
        #expect(VaultURL(text) == nil)
    }
}
