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

    /// How many locks this process holds on the vault's files, as the best of several looks says.
    ///
    /// The kernel gives its table out in pages, and what others lock and unlock between two of them can hide a line.
    private func locks(_ vault: TestVault) throws -> Int {
        try (0..<10).reduce(0) { most, _ in try max(most, locksSeen(vault)) }
    }

    /// What one look says; locks of threads of one process on one range are one.
    private func locksSeen(_ vault: TestVault) throws -> Int {
        let inodes = try ["", "-wal", "-shm"].map { suffix in
            try FileManager.default.attributesOfItem(atPath: vault.databasePath + suffix)[.systemFileNumber] as? Int
        }
        let (process, table) = (String(getpid()), try kernelTable("/proc/locks"))
        return table.split(separator: "\n").count { line in
            let words = line.split(separator: " ")
            guard let holder = words.firstIndex(of: Substring(process)), holder + 1 < words.count else { return false }
            return inodes.contains(words[holder + 1].split(separator: ":").last.flatMap { Int($0) })
        }
    }

    /// The whole of a file of the kernel's, which gives out a page at a time and has no size.
    private func kernelTable(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var (table, page): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = read(descriptor, &page, page.count)
            guard count > 0 else { return String(decoding: table, as: UTF8.self) }
            table += page[..<count]
        }
    }
}
