import GRDB
import KeyoverCore
import KeyoverSealing

/// Turns SQLite's errors into the vault's.
enum DatabaseFailure {
    /// Runs statements and maps what they throw.
    static func mapping<Result>(_ body: () throws -> Result) throws(VaultError) -> Result {
        do {
            return try body()
        } catch {
            throw map(error)
        }
    }

    /// The vault's error for whatever was thrown.
    static func map(_ error: any Error) -> VaultError {
        if let error = error as? VaultError { return error }
        guard let failure = error as? DatabaseError else {
            return VaultError(
                .unavailable, "the vault's database cannot be used", remedy: "run keyover vault verify",
                underlying: error)
        }
        let reason = failure.message ?? "SQLite error \(failure.extendedResultCode.rawValue)"
        switch failure.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return VaultError(
                .unavailable, "the vault is busy: another process kept it locked for too long",
                remedy: "run the command again", isRetryable: true, underlying: error)
        case .SQLITE_FULL:
            return full(error)
        // SQLite knows a full disk by ENOSPC only; a quota or a limit on file size ends here.
        case .SQLITE_IOERR where failure.extendedResultCode == .SQLITE_IOERR_WRITE:
            return full(error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return VaultError(
                .notTrusted, "the vault's database is damaged: \(reason)",
                remedy: VaultError.restoreBackup, underlying: error)
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_AUTH:
            return VaultError(
                .unavailable, "the vault's database cannot be opened or written: \(reason)",
                remedy: "check that the disk is mounted for writing and that you own the vault's folder",
                underlying: error)
        default:
            return VaultError(
                .unavailable, "the vault's database failed: \(reason)", remedy: "run keyover vault verify",
                underlying: error)
        }
    }

    private static func full(_ error: any Error) -> VaultError {
        VaultError(
            .full, "the disk takes no more of the vault (full, over quota or failing); nothing was changed",
            remedy: "make room and run the command again", isRetryable: true, underlying: error)
    }
}
