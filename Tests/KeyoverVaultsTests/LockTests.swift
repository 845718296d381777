import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverVaults
import Testing

/// SQLite's locks belong to the process, and closing any descriptor of a file would take them away: another process
/// could then empty the shared memory under this one, or write at the same time.
@Suite struct LockTests {
    @Test func lookingAtTheFilesOfAnOpenVaultLeavesItsLocks() async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("a"), expecting: nil)
        let before = try locks(vault)
        #expect(before > 0)
        _ = try await vault.fileVault.verify()
        #expect(try locks(vault) == before)
        let second = try await vault.reopened()
        #expect(try locks(vault) >= before)
        _ = try await second.status()
        #expect(try locks(vault) >= before)
    }

    /// How many locks this process holds on the vault's files; locks of threads of one process on one range are one.
    ///
    /// While other tests lock and unlock, one look at the kernel's table may miss lines that are there.
    private func locks(_ vault: TestVault) throws -> Int {
        try (0..<20).map { _ in try locksAtALook(vault) }.max() ?? 0
    }

    private func locksAtALook(_ vault: TestVault) throws -> Int {
        let inodes = try ["", "-wal", "-shm"].map { suffix in
            try FileManager.default.attributesOfItem(atPath: vault.databasePath + suffix)[.systemFileNumber] as? Int
        }
        let (process, table) = (String(getpid()), try String(contentsOfFile: "/proc/locks", encoding: .utf8))
        return table.split(separator: "\n").count { line in
            let words = line.split(separator: " ")
            guard let holder = words.firstIndex(of: Substring(process)), holder + 1 < words.count else { return false }
            return inodes.contains(words[holder + 1].split(separator: ":").last.flatMap { Int($0) })
        }
    }
}
