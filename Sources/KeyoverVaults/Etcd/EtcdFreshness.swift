import KeyoverCore
import KeyoverSealing
import Synchronization

/// When this host last heard from a quorum, and what revision that had: the measure of what one member says alone.
///
/// A member that has at least that revision has everything that was acknowledged before that moment, so that its answer is
/// at most as old as the moment. The moment is kept for other processes in a small file `etcd-CLUSTER/contact` of the state
/// folder. It counts within one boot only, by the clock that has gone further: setting a clock makes nothing fresher.
final class EtcdFreshness: Sendable {
    /// An answer of the quorum.
    struct Contact: Codable, Sendable {
        let cluster: String
        let revision: Int64
        let askedAt: ClockReading
    }

    /// How much later than the file's a contact has to be to be written.
    private static let interval = TimeSpan.seconds(2)

    private let stateDirectory: String?
    private let latest = Mutex<Contact?>(nil)
    private let written = Mutex<Contact?>(nil)

    /// - Parameter stateDirectory: `nil` remembers for the life of the store only.
    init(_ stateDirectory: String?) {
        self.stateDirectory = stateDirectory
    }

    /// Remembers an answer of the quorum to a question that was asked at a moment.
    func note(_ header: EtcdHeader, askedAt: ClockReading) {
        guard let cluster = header.cluster, Self.isPlain(cluster), let revision = header.revision?.value else { return }
        let contact = Contact(cluster: cluster, revision: revision, askedAt: askedAt)
        latest.withLock { $0 = Self.later($0, contact) }
        guard let stateDirectory, Self.isWorthWriting(contact, over: written.withLock { $0 }) else { return }
        if let stored = stored(cluster), !Self.isWorthWriting(contact, over: stored) {
            written.withLock { $0 = stored }
            return
        }
        written.withLock { $0 = contact }
        // Best effort: without the file there are fewer stale answers, and none that is too old.
        try? Self.write(contact, in: stateDirectory)
    }

    /// How old a member's own answer may be; `nil` when it is older than the bound, or nothing is known.
    func age(of header: EtcdHeader, atMost bound: TimeSpan) -> TimeSpan? {
        guard let cluster = header.cluster, Self.isPlain(cluster), let revision = header.revision?.value else {
            return nil
        }
        let known = [latest.withLock { $0 }, stored(cluster)].compactMap { $0 }
        let now = BootClock.now()
        return known.filter { $0.cluster == cluster && $0.revision <= revision && $0.askedAt.bootID == now.bootID }
            .map { now.elapsedAtMost(since: $0.askedAt) }.filter { $0 <= bound }.min()
    }

    private static func later(_ one: Contact?, _ other: Contact) -> Contact {
        guard let one, one.askedAt.bootID == other.askedAt.bootID, one.askedAt.sinceBoot > other.askedAt.sinceBoot
        else { return other }
        return one
    }

    private static func isWorthWriting(_ contact: Contact, over present: Contact?) -> Bool {
        guard let present, present.cluster == contact.cluster, present.askedAt.bootID == contact.askedAt.bootID else {
            return true
        }
        return contact.askedAt.sinceBoot - present.askedAt.sinceBoot >= interval
    }

    private static func isPlain(_ cluster: String) -> Bool {
        (1...20).contains(cluster.utf8.count) && cluster.utf8.allSatisfy { (48...57).contains($0) }
    }

    private static func folder(_ cluster: String, in stateDirectory: String) -> String {
        "\(stateDirectory)/etcd-\(cluster)"
    }

    private func stored(_ cluster: String) -> Contact? {
        guard let stateDirectory,
            let text = try? PrivateFile.read(Self.folder(cluster, in: stateDirectory) + "/contact", limit: 1024)
        else { return nil }
        return text.withUnsafeSecretBytes { StoreJSON.object(Contact.self, from: Array($0)) }
    }

    private static func write(_ contact: Contact, in stateDirectory: String) throws {
        let folder = try PrivateDirectory.make(folder(contact.cluster, in: stateDirectory), rule: .ownerWrites)
        // Who holds the lock is writing a contact that is as late.
        guard folder.tryLock() else { return }
        try folder.replace("contact", SecretValue(copying: StoreJSON.encode(contact)), durably: false)
    }
}
