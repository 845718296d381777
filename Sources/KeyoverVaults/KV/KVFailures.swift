import KeyoverCore
import KeyoverSealing

/// What a refusal of the server means, and what to do about it.
///
/// The server's own words are compared, never repeated.
struct KVFailures {
    let location: KVLocation

    /// The error for an answer that is neither a success nor anything that the caller knows better.
    func error(_ answer: StoreAnswer, _ path: String) -> VaultError {
        let texts = texts(answer)
        func says(_ phrase: String) -> Bool { texts.contains { $0.lowercased().contains(phrase) } }
        switch answer.status {
        case 300..<400:
            return passing(
                "answers for another server",
                "name the active server, or a load balancer that leads to it, in the URL of the vault")
        case 400 where says("upgrading from non-versioned") || says("waiting for the primary to upgrade"):
            return passing("is preparing the secrets engine \(location.mount)", "run the command again")
        case 400 where says("namespace"), 404 where says("namespace"):
            return VaultError(
                .missing, "\(server) does not know the namespace \(location.namespace ?? "")",
                remedy: "correct ?namespace= in the URL of the vault")
        case 404 where says("no handler for route"):
            return noEngine
        case 405:
            return noEngine
        case 400...500 where answer.status == 413 || says("too large"):
            return VaultError(
                .tooLarge, "\(path) is larger than \(server) takes",
                remedy: "let the server take more: max_entry_size of its storage, max_request_size of its listener")
        case 500... where says("no space left"):
            return VaultError(
                .full, "the disk of \(server) is full", remedy: "make room on the server", isRetryable: true)
        case 503 where says("sealed"):
            return passing("is sealed", "unseal it: bao operator unseal (or vault operator unseal)")
        case 412: return passing("has not caught up yet", "run the command again")
        case 429: return passing("takes no more calls for now", "run the command again later, or raise its rate limit")
        case 500...: return passing("answered \(answer.status)", "look into the log of the server")
        default:
            return VaultError(
                .invalid, "\(server) refused a call to \(path) with status \(answer.status)",
                remedy: "look into the log of the server, and check that \(location.mount) is a KV engine of version 2")
        }
    }

    /// What it means that a token lacks a capability.
    func denied(_ capabilities: [String], _ door: KVLocation.Door, _ path: String) -> VaultError {
        let granted = capabilities.map { "\"\($0)\"" }.joined(separator: ", ")
        return VaultError(
            .locked, "\(server) does not allow \(capabilities.joined(separator: " and ")) on \(path)",
            remedy: "add to the policy of the token or role: "
                + "path \"\(location.policyPath(door))\" { capabilities = [\(granted)] }, with bao policy write")
    }

    /// What it means that the place belongs to no KV engine of version 2.
    var noEngine: VaultError {
        VaultError(
            .missing, "\(server) has no KV engine of version 2 at \(location.mount)",
            remedy:
                "enable it: bao secrets enable -path=\(location.mount) -version=2 kv, or correct the URL of the vault")
    }

    /// What it means that somebody else deleted or destroyed the newest version of an entry.
    func gone(_ version: Int, isDestroyed: Bool, _ entry: String) -> VaultError {
        let place = "-mount=\(location.mount) \(location.entryPath(entry))"
        return VaultError(
            .notTrusted,
            "version \(version) of \(location.path(.data, entry)) was \(isDestroyed ? "destroyed" : "deleted"), and not by Keyover",
            remedy: isDestroyed
                ? VaultError.restoreBackup : "bring it back: bao kv undelete -versions=\(version) \(place)")
    }

    /// What it means that an entry is not one of Keyover's.
    func foreign(_ entry: String) -> VaultError {
        VaultError(
            .notTrusted, "\(location.path(.data, entry)) has no sealed record of Keyover in it",
            remedy: "put back what was there, or move away what somebody else has put there")
    }

    /// What it means that an answer is not what the API promises.
    func malformed(_ path: String) -> VaultError {
        VaultError(
            .notTrusted, "\(server) gave an answer for \(path) that makes no sense",
            remedy: "check what answers at \(location.server.origin)")
    }

    /// The server, for messages.
    var server: String { "the vault's server \(location.server.authority)" }

    /// Whether the server says that the entry has another version than the one it was to replace.
    func isConflict(_ answer: StoreAnswer) -> Bool {
        answer.status == 400 && texts(answer).contains { $0.contains("check-and-set parameter did not match") }
    }

    /// Whether a refusal is about what the token may do, and not about the token itself.
    static func isAboutPolicy(_ answer: StoreAnswer) -> Bool {
        let texts = StoreJSON.object(KVAnswers.Envelope<KVAnswers.Nothing>.self, from: answer.body)?.errors ?? []
        return texts.contains { $0.hasPrefix("1 error occurred") && $0.contains("permission denied") }
    }

    private func passing(_ message: String, _ remedy: String) -> VaultError {
        VaultError(.unavailable, "\(server) \(message)", remedy: remedy, isRetryable: true)
    }

    private func texts(_ answer: StoreAnswer) -> [String] {
        StoreJSON.object(KVAnswers.Envelope<KVAnswers.Nothing>.self, from: answer.body)?.errors ?? []
    }
}
