internal import CKeyoverProcess
import Glibc
import KeyoverCore
import KeyoverSealing

/// A vault's folder on its way into existence.
struct VaultTarget {
    private static let attempts = 8

    private let path: String
    private let parent: String
    /// The fresh folder, beside the place.
    let folder: PrivateDirectory
    private let mayReplace: Bool

    init(_ path: String, mayReplace: Bool = false) throws(VaultError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard let name = path.split(separator: "/").last, name != ".", name != ".." else {
            throw VaultError(
                .invalid, "\(path) is no folder for a vault", remedy: "name a folder that does not exist yet")
        }
        let prefix = path.dropLast(name.count)
        self.path = path
        self.mayReplace = mayReplace
        parent = prefix.isEmpty ? "." : String(prefix)
        if !mayReplace { try Self.refuseOccupied(path) }
        folder = try Self.fresh("\(prefix).\(name).new-")
        Self.sweep(parent, ".\(name).new-")
    }

    /// A folder of a new name, locked while its maker lives.
    private static func fresh(_ prefix: String) throws(VaultError) -> PrivateDirectory {
        var failure = VaultError(
            .unavailable, "no folder can be locked beside \(prefix)", remedy: "choose a place on a local file system")
        for _ in 1...Self.attempts {
            let path = prefix + Hex.encode((0..<8).map { _ in UInt8.random(in: .min ... .max) })
            do throws(VaultError) {
                let folder = try PrivateDirectory.make(path)
                if folder.tryLock() { return folder }
                folder.removeAll()
            } catch {
                // Somebody who sweeps may come between the making and the lock.
                guard error.code == .missing else { throw error }
                failure = error
            }
        }
        throw failure
    }

    /// Removes what attempts that were killed have left behind.
    private static func sweep(_ parent: String, _ prefix: String) {
        for name in FolderNames.all(in: parent) ?? [] {
            guard name.hasPrefix(prefix), let left = try? PrivateDirectory("\(parent)/\(name)"), left.tryLock() else {
                continue
            }
            left.removeAll()
        }
    }

    /// Makes the database, filled within one transaction.
    func fill(_ body: (DatabaseRows) throws(VaultError) -> Void) throws(VaultError) {
        try folder.create(FileVaultSchema.databaseName, SecretValue(copying: []))
        try Connections.create("\(folder.path)/\(FileVaultSchema.databaseName)") { try body($0) }
        try folder.synchronize()
    }

    /// Lets the folder appear at its place, in one step; the answer is where that lies which was there before.
    @discardableResult
    func publish() throws(VaultError) -> String? {
        let replaced = try exchange()
        if replaced == nil, rename(folder.path, path) != 0 {
            let number = errno
            try Self.refuseOccupied(path)
            throw VaultError(
                .unavailable, "cannot create \(path): \(String(cString: strerror(number)))",
                remedy: "choose a folder that you may create")
        }
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return replaced }
        fsync(descriptor)
        close(descriptor)
        return replaced
    }

    /// Changes places with what is there, when it may be replaced and is not an empty folder.
    private func exchange() throws(VaultError) -> String? {
        var status = stat()
        guard mayReplace, lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR || !Self.isEmpty(path) else {
            return nil
        }
        // The new vault takes the name under which the old one is kept, so that one step suffices.
        let kept = "\(path).before-restore-\(Hex.encode((0..<4).map { _ in UInt8.random(in: .min ... .max) }))"
        guard rename(folder.path, kept) == 0 else { throw Self.failed("rename", folder.path) }
        guard keyover_exchange(kept, path) == 0 else {
            let error = Self.failed("replace", path)
            rename(kept, folder.path)
            throw error
        }
        return kept
    }

    private static func failed(_ verb: String, _ path: String) -> VaultError {
        VaultError(
            .unavailable, "cannot \(verb) \(path): \(String(cString: strerror(errno)))",
            remedy: "check who may write there")
    }

    func discard() { folder.removeAll() }

    private static func refuseOccupied(_ path: String) throws(VaultError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR, isEmpty(path) else {
            throw VaultError(
                .exists, "there is something at \(path) already; nothing was changed",
                remedy: "open it with keyover vault status, or choose another place")
        }
    }

    private static func isEmpty(_ path: String) -> Bool {
        FolderNames.all(in: path)?.isEmpty ?? false
    }
}
