import Glibc
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// One vault on its way to another place: opens both, copies, moves, and lets the configuration follow.
struct Migration {
    let session: Session
    let workspace: Workspace
    let source: any MigratableVault
    let url: VaultURL
    private let configuration: MovedConfiguration
    private let access: VaultAccess
    private let stateDirectory: String
    private let display: MigrationDisplay
    private(set) var note: MigrationNote?

    /// Refuses whatever could not be gone through with to the end; nothing is made or changed yet.
    init(_ session: Session, _ workspace: Workspace, to url: VaultURL, _ settings: [SettingKey: Setting?]) throws {
        self.session = session
        self.workspace = workspace
        self.url = url
        guard let source = workspace.vault as? any MigratableVault else {
            throw VaultError(.invalid, "vaults of the kind \(workspace.vault.backend) cannot be migrated")
        }
        self.source = source
        configuration = try MovedConfiguration(try session.settings, settings)
        stateDirectory = try session.settings.stateDirectory
        display = MigrationDisplay(session.terminal)
        // No state folder: until it is in use, nothing that is seen of the new vault makes the old one look outdated.
        access = VaultAccess(identities: source.identities, reach: try session.replacing(settings).reach())
        _ = try source.succession(reach: access.reach)
        note = try MigrationNote.read(stateDirectory, source.keyring.vaultID)
    }

    private var vaultID: UUIDv7 { source.keyring.vaultID }

    /// What is noted, or what the records say that have moved already.
    private mutating func recallNote() async throws {
        for moved in try await source.summaries(TenantRecord.self).compactMap(\.record.moved)
            + source.summaries(ClientRecord.self).compactMap(\.record.moved)
        {
            guard moved.to == url.description else {
                throw VaultError(
                    .conflict, "a part of the vault has moved to \(moved.to) already",
                    remedy: "finish that: keyover vault migrate --to \(moved.to)")
            }
            note = MigrationNote(to: moved.to, keyCommitment: moved.keyCommitment)
        }
        if note?.to != url.description { note = nil }
    }

    /// The new vault, when this migration has made it already; refuses any other that is there.
    mutating func openDestination() async throws -> (any MigratableVault)? {
        try await recallNote()
        do throws(VaultError) {
            var access = access
            access.pin = note?.pin(vaultID)
            let found = try await VaultRegistry.open(url, access)
            guard note != nil, let vault = found as? any MigratableVault else { throw occupied(nil) }
            try demandNewer(vault)
            return vault
        } catch {
            switch error.code {
            case .missing: return nil
            case .locked, .notTrusted: throw occupied(error)
            default: throw error
            }
        }
    }

    /// Rekeying the old vault after the new one was made would leave two vaults of one epoch.
    private func demandNewer(_ vault: any MigratableVault) throws(VaultError) {
        guard vault.keyring.epoch <= source.keyring.epoch else { return }
        throw VaultError(
            .conflict, "the vault was rekeyed after its copy at \(url) was begun",
            remedy: "remove the copy and run the command again; nothing has moved yet")
    }

    private func occupied(_ error: VaultError?) -> VaultError {
        VaultError(
            .exists, "there is a vault at \(url) that this host did not make for this migration; nothing was changed",
            remedy: "name another place with --to, or remove what is there if nobody needs it", underlying: error)
    }

    /// The new vault, made where there is none, open to the same people as the old one.
    mutating func prepareDestination() async throws -> any MigratableVault {
        let present = try await openDestination()
        var vault = if let present { present } else { try await create() }
        if vault.audience != source.audience {
            try await vault.grant(to: source.audience)
            guard let granted = try await openDestination() else { throw occupied(nil) }
            vault = granted
        }
        return vault
    }

    private mutating func create() async throws -> any MigratableVault {
        let creation = try source.succession(reach: access.reach)
        guard let keyring = creation.keyring else { throw occupied(nil) }
        let fresh = MigrationNote(to: url.description, keyCommitment: VaultPin(keyring).commitmentText)
        // Before the vault: one whose keys nobody has noted would not be gone on with.
        try fresh.write(stateDirectory, vaultID)
        note = fresh
        _ = try await VaultRegistry.create(url, creation)
        guard let vault = try await openDestination() else {
            throw VaultError(.unavailable, "the vault that was just made at \(url) is gone")
        }
        return vault
    }

    /// Copies everything and proves the copy through a handle of its own; nothing changes for anybody.
    mutating func copy(to destination: any MigratableVault) async throws -> Int {
        defer { display.end() }
        var migration = try await migration(to: destination)
        try await migration.copy()
        guard let second = try await openDestination() else { throw occupied(nil) }
        try await migration.verify(through: second)
        return migration.written
    }

    /// Moves every record, then lets the configuration of this host follow.
    func move(to destination: any MigratableVault, patience: TimeSpan, reason: String?) async throws {
        guard let note else { throw occupied(nil) }
        defer { display.end() }
        try await workspace.note("vault.migrating", ["to": url.description], reason: reason)
        var migration = try await migration(to: destination)
        let relocation = Relocation(
            to: url.description, keyCommitment: note.keyCommitment, at: workspace.now.wall)
        try await migration.move(relocation, patience: patience)
        try configuration.settle(note.pin(vaultID))
    }

    private func migration(to destination: any Vault) async throws -> VaultMigration {
        let claims = try await HeldClaims(workspace)
        return VaultMigration(from: source, to: destination, isHeld: claims.holds) { [display] progress in
            display.hear(progress)
            // Once records are being marked, applications wait for the end of it.
            return progress.step == .moving || !Signals.wasAsked
        }
    }

    /// Notes in the new vault that it is the one now; `false` when that was done before.
    static func conclude(_ session: Session, at url: VaultURL, reason: String?) async throws -> Bool {
        let workspace = try await session.openWorkspace()
        guard let id = UUIDv7(workspace.vault.id),
            try MigrationNote.read(workspace.stateDirectory, id)?.to == url.description
        else { return false }
        try await workspace.note("vault.migrated", ["to": url.description], reason: reason)
        try MigrationNote.remove(workspace.stateDirectory, id)
        try await workspace.backUpIfChanged()
        return true
    }
}
