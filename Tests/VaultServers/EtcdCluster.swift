import Foundation
public import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization

/// Three members of etcd on loopback, with TLS and with users: all places belong to one user, who reaches nothing else.
public final class EtcdCluster: VaultCluster {
    /// `etcd`.
    public static let scheme = "etcd"
    private static let root = (name: "root", password: "root of the tests")
    private static let user = (name: "keyover", password: "a password with \"quotes\" \\ and ümlauts")
    private static let prefix = "/tests/"

    private let folder: String
    private let members: [EtcdMember]
    private let credential: String
    private let authority: String
    /// Whether who asks has to say who he is.
    private let hasUsers = Mutex(false)

    private init(_ folder: String, _ members: [EtcdMember], authority: String) throws {
        self.folder = folder
        self.members = members
        self.authority = authority
        credential = folder + "/password"
        let isMade = FileManager.default.createFile(
            atPath: credential, contents: Data((Self.user.password + "\n").utf8), attributes: [.posixPermissions: 0o600]
        )
        guard isMade else { throw ServerTrouble("\(credential) cannot be made") }
    }

    /// Starts a cluster, and turns on its users.
    public static func start() async throws -> EtcdCluster { try await start(withUsers: true) }

    /// Starts a cluster, in which without users everybody may do everything.
    public static func start(withUsers: Bool) async throws -> EtcdCluster {
        var attempt = 1
        while true {
            do {
                return try await startOnce(withUsers)
            } catch {
                // Somebody else may have taken a port meanwhile.
                guard attempt < 3 else { throw error }
                attempt += 1
            }
        }
    }

    private static func startOnce(_ withUsers: Bool) async throws -> EtcdCluster {
        let folder = FileManager.default.temporaryDirectory.path + "/keyover-etcd-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let certificates = try EtcdCertificates(in: folder)
        let ports = try (0..<3).map { _ in (client: try freePort(), peer: try freePort()) }
        let all = ports.enumerated().map { "m\($0.offset)=https://127.0.0.1:\($0.element.peer)" }
        let members = ports.enumerated().map { index, ports in
            EtcdMember("m\(index)", ports, in: folder, all: all.joined(separator: ","), certificates)
        }
        let cluster = try EtcdCluster(folder, members, authority: certificates.authority)
        do {
            for member in members { try member.start() }
            try await cluster.waitUntilHealthy()
            if withUsers { try cluster.turnOnUsers() }
            return cluster
        } catch {
            await cluster.stop()
            throw error
        }
    }

    private func turnOnUsers() throws {
        let (root, user) = (Self.root, Self.user)
        for order in [
            ["user", "add", "\(root.name):\(root.password)"], ["user", "grant-role", root.name, "root"],
            ["role", "add", user.name],
            ["role", "grant-permission", user.name, "--prefix=true", "readwrite", Self.prefix],
            ["user", "add", "\(user.name):\(user.password)"], ["user", "grant-role", user.name, user.name],
            ["auth", "enable"],
        ] {
            try control(order, asRoot: false)
        }
        hasUsers.withLock { $0 = true }
    }

    /// A prefix that nobody else uses.
    public func place() async throws -> VaultPlace {
        try place(named: UUID().uuidString)
    }

    /// A prefix with a name, for a vault whose URL may have a query.
    public func place(named name: String, query: String = "", patience: TimeSpan = .seconds(5)) throws -> VaultPlace {
        let servers = members.map(\.url).joined(separator: ",")
        var reach = VaultReach(patience: patience, caFile: authority)
        if hasUsers.withLock({ $0 }) {
            reach.user = Self.user.name
            reach.credential = SecretValue(copying: Self.user.password.utf8)
        }
        return VaultPlace(
            VaultURL(scheme: Self.scheme, location: servers + Self.prefix + name + query), reach,
            environment: [
                "KEYOVER_VAULT_USER": Self.user.name, "KEYOVER_VAULT_CREDENTIAL": credential,
                "KEYOVER_CA_FILE": authority,
            ], storage: members.map(\.storage))
    }

    /// The prefix of a place, for ``control(_:asRoot:)``.
    public func prefix(of place: VaultPlace) -> String {
        guard let start = place.url.location.range(of: Self.prefix) else { return "" }
        return Self.prefix + place.url.location[start.upperBound...].prefix { $0 != "?" }
    }

    /// Runs etcdctl against the members that are up; the answer is what it prints.
    @discardableResult
    public func control(_ arguments: [String], asRoot: Bool = true) throws -> String {
        let endpoints = members.filter(\.isUp).map(\.url).joined(separator: ",")
        return try runTool(
            ["etcdctl"] + arguments, in: folder, environment: environment(endpoints, asRoot: asRoot))
    }

    private func environment(_ endpoints: String, asRoot: Bool) -> [String: String] {
        var environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin", "ETCDCTL_API": "3",
            "ETCDCTL_ENDPOINTS": endpoints, "ETCDCTL_CACERT": authority, "ETCDCTL_COMMAND_TIMEOUT": "10s",
        ]
        if asRoot { environment["ETCDCTL_USER"] = "\(Self.root.name):\(Self.root.password)" }
        return environment
    }

    /// Returns when every member that is up answers for the cluster.
    public func waitUntilHealthy() async throws {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            do {
                try control(["endpoint", "health"], asRoot: hasUsers.withLock { $0 })
                return
            } catch {
                guard ContinuousClock.now < end else {
                    throw ServerTrouble("the cluster is not healthy: \(error); \(members.map(\.log))")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// The member that leads at the moment.
    private func leader() throws -> EtcdMember {
        for member in members where member.isUp {
            let said = try? runTool(
                ["etcdctl", "endpoint", "status", "-w", "json"], in: folder,
                environment: environment(member.url, asRoot: false))
            guard let said, let status = try? JSONDecoder().decode([EndpointStatus].self, from: Data(said.utf8)).first
            else {
                continue
            }
            if status.content.leader == status.content.header.member { return member }
        }
        throw ServerTrouble("nobody leads the cluster")
    }

    /// Ends the leader; the others choose another one.
    public func kill() async throws { try leader().end() }

    /// Ends the member that the URL names first.
    public func killFirst() { members[0].end() }

    /// Ends two of the three, so that nothing can be agreed on; the first member stays.
    public func killQuorum() { for member in members.dropFirst() { member.end() } }

    /// Ends all members.
    public func killAll() { for member in members { member.end() } }

    /// Starts those that were ended, and waits for the cluster.
    public func revive() async throws {
        for member in members where !member.isUp { try member.start() }
        try await waitUntilHealthy()
    }

    /// Stops the member that the URL names first.
    public func freeze() async throws { members[0].signal(frozen: true) }

    /// Stops the leader.
    public func freezeLeader() throws { try leader().signal(frozen: true) }

    /// Stops two of the three; the first member goes on.
    public func freezeQuorum() { for member in members.dropFirst() { member.signal(frozen: true) } }

    /// Lets all go on.
    public func thaw() async throws {
        for member in members { member.signal(frozen: false) }
        try await waitUntilHealthy()
    }

    /// Ends all members, and removes what they stored.
    public func stop() async {
        killAll()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// What `etcdctl endpoint status` says of one member.
private struct EndpointStatus: Decodable {
    private enum CodingKeys: String, CodingKey { case content = "Status" }

    struct Content: Decodable {
        struct Header: Decodable {
            private enum CodingKeys: String, CodingKey { case member = "member_id" }

            let member: UInt64
        }

        let header: Header
        let leader: UInt64
    }

    let content: Content
}
