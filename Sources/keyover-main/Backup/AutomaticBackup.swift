import Glibc
import KeyoverCore
import KeyoverEngine
import KeyoverSealing
import KeyoverVaults

/// A backup made after a change and handed to a program of the admin's, on its standard input.
///
/// The backup is complete before the program starts. What the program may be and how it is run is as for deliveries.
struct AutomaticBackup: Sendable {
    private static let timeLimit = TimeSpan.seconds(27)

    private let backup: Backup
    private let command: [String]

    /// A backup that a command line takes: a path and arguments with blanks between them.
    init(_ backup: Backup, command: String) {
        self.backup = backup
        self.command = command.split(separator: " ").map(String.init)
    }

    /// Makes a backup and hands it over.
    ///
    /// - Parameter situation: What the error begins with when that fails.
    func run(failingWith situation: String = "the change is made, but its backup was not stored") async throws {
        let target = DeliveryTarget(kind: BackupDelivery.kind, arguments: command)
        let delivery = CommandDelivery(timeLimit: Self.timeLimit)
        do {
            try CommandDelivery.check(target)
            let folder = backup.workspace.stateDirectory
            _ = try PrivateDirectory.make(folder, rule: .ownerWrites)
            let spool = try SpoolFile(in: folder)
            let manifest = try await backup.write { try spool.write($0) }
            lseek(spool.descriptor, 0, SEEK_SET)
            try await delivery.run(
                target, environment: ["VAULT_ID": manifest.vaultID.description], input: spool.descriptor)
            backup.note.write(manifest)
        } catch {
            let reason = (error as? any KeyoverError)?.message ?? String(describing: error)
            throw ConfigurationError(
                .unwritable, "\(situation): \(reason)",
                remedy:
                    "mend the command, and try it with keyover vault backup --after-rotation '\(command.joined(separator: " "))'",
                underlying: error)
        }
    }

    /// Makes a backup if something has changed since the newest one.
    func runIfChanged() async throws {
        let status = try await (backup.workspace.vault as? any InspectableVault)?.status()
        if let status, backup.note.read()?.mark == status.mark.description { return }
        try await run()
    }
}

/// Makes the backup part of a rotation: the old secret is not retired before the new one is in a backup.
struct BackupDelivery: Delivery {
    static let kind = "backup"

    let backup: AutomaticBackup

    func deliver(_ announcement: Announcement, to target: DeliveryTarget) async throws(DeliveryError) {
        do {
            try await backup.run()
        } catch let error as any KeyoverError {
            throw DeliveryError(error.message)
        } catch {
            throw DeliveryError(String(describing: error))
        }
    }
}
