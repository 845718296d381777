import Foundation
import KeyoverSealing
import KeyoverVaults

/// A folder: nothing needs to run for a file vault.
public final class FileVaultServer: VaultServer {
    /// `file`.
    public static let scheme = "file"
    private let folder: String

    private init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/keyover-vaults-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// Makes a folder for vaults.
    public static func start() async throws -> FileVaultServer { try FileVaultServer() }

    /// A path in the folder.
    public func place() async throws -> VaultPlace {
        let path = "\(folder)/\(UUID().uuidString)"
        return VaultPlace(VaultURL(scheme: "file", location: path), VaultReach(), storage: [path])
    }

    /// Removes the folder.
    public func stop() async {
        try? FileManager.default.removeItem(atPath: folder)
    }
}
