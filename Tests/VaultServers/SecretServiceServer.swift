import Foundation
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization

/// A desktop session's bus with a keyring on it, both private: nothing of the person who runs the tests is touched.
///
/// A process has one session bus. So there is one of these at a time in a test process, and who starts another one
/// waits until the first is stopped.
public final class SecretServiceServer: MortalVaultServer {
    /// What is on the bus.
    public enum Condition: Sendable {
        /// A keyring, unlocked.
        case unlocked
        /// A keyring that its owner has not unlocked.
        case locked
        /// Nobody, and nobody that could be started.
        case absent
    }

    /// `libsecret`.
    public static let scheme = "libsecret"
    private static let password = "of no importance"
    private static let turn = Turn()

    /// Everything that bus and keyring keep.
    public let folder: String
    private let bus: ChildDaemon
    private let keyring = Mutex<ChildDaemon?>(nil)
    private let watchdog: FolderWatchdog

    /// The environment of bus and keyring: nobody's home, and no display.
    private static func environment(_ folder: String) -> [String: String] {
        var environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
        let places = [
            "HOME": "home", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache",
            "XDG_RUNTIME_DIR": "run",
        ]
        for (variable, place) in places { environment[variable] = "\(folder)/\(place)" }
        environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=\(folder)/run/bus"
        return environment
    }

    /// Starts bus and keyring.
    public static func start() async throws -> SecretServiceServer { try await start(.unlocked) }

    /// Starts a bus with what is wanted on it.
    public static func start(_ condition: Condition) async throws -> SecretServiceServer {
        await turn.take()
        do {
            let server = try SecretServiceServer()
            setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=\(server.folder)/run/bus", 1)
            do {
                while !FileManager.default.fileExists(atPath: "\(server.folder)/run/bus") {
                    guard !server.bus.hasEnded else { throw ServerFailure("dbus-daemon does not start") }
                    try await Task.sleep(for: .milliseconds(2))
                }
                if condition != .absent { try await server.startKeyring(unlocked: true) }
                if condition == .locked { try await server.lock() }
                return server
            } catch {
                server.end()
                throw error
            }
        } catch {
            turn.give()
            throw error
        }
    }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/keyover-keyring-" + UUID().uuidString.prefix(13)
        watchdog = try FolderWatchdog(folder)
        for place in ["home", "data", "config", "cache", "run"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(place)", withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        }
        // No folder of services: whoever is not on the bus is not started either.
        try Data(
            """
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig><type>session</type><listen>unix:path=\(folder)/run/bus</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
            <allow own="*"/></policy></busconfig>
            """.utf8
        ).write(to: URL(filePath: "\(folder)/bus.conf"))
        bus = try ChildDaemon(
            "/usr/bin/dbus-daemon", ["--config-file=\(folder)/bus.conf", "--nofork", "--nopidfile"],
            environment: Self.environment(folder), watchdog: watchdog)
    }

    /// A vault name of its own in the default keyring.
    public func place() async throws -> VaultPlace {
        VaultPlace(
            VaultURL(scheme: Self.scheme, location: "/" + UUID().uuidString), VaultReach(),
            environment: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(folder)/run/bus"],
            storage: ["\(folder)/data/keyrings"])
    }

    /// Ends both and removes what they kept.
    public func stop() async {
        end()
        Self.turn.give()
    }

    private func end() {
        unsetenv("DBUS_SESSION_BUS_ADDRESS")
        keyring.withLock { $0 }?.end()
        bus.end()
        watchdog.end()
    }
}

// MARK: What can happen to a keyring

extension SecretServiceServer {
    /// Ends the keyring's daemon at once.
    public func kill() async throws { keyring.withLock { $0 }?.end() }

    /// Starts the daemon again and unlocks the keyring.
    public func revive() async throws { try await startKeyring(unlocked: true) }

    /// Stops the daemon without ending it.
    public func freeze() async throws { keyring.withLock { $0 }?.send(SIGSTOP) }

    /// Lets it go on.
    public func thaw() async throws { keyring.withLock { $0 }?.send(SIGCONT) }

    /// Starts the daemon again and leaves the keyring locked.
    public func lock() async throws {
        try await kill()
        try await startKeyring(unlocked: false)
    }

    /// Lets the daemon write no file that is longer, as if the disk were full; `nil` lets it write again.
    public func limitFiles(to byteCount: Int?) throws {
        guard let pid = keyring.withLock({ $0?.pid }) else { throw ServerFailure("there is no daemon") }
        let limit = byteCount.map { "\($0):unlimited" } ?? "unlimited"
        guard try run("/usr/bin/prlimit", ["--pid", "\(pid)", "--fsize=\(limit)"]) != nil else {
            throw ServerFailure("prlimit failed")
        }
    }

    /// Ends the bus, and the daemon with it.
    public func killBus() async throws { bus.end() }

    /// Stops the bus itself without ending it.
    public func freezeBus() async throws { bus.send(SIGSTOP) }

    /// Lets the bus go on.
    public func thawBus() async throws { bus.send(SIGCONT) }

    /// Runs another program of the desktop session, such as `secret-tool`.
    ///
    /// - Returns: What it prints, on standard error too, where `secret-tool` shows attributes; `nil` when it fails.
    public func run(_ program: String, _ arguments: [String], input: String = "") throws -> String? {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = Self.environment(folder)
        let (written, printed) = (Pipe(), Pipe())
        process.standardInput = written
        process.standardOutput = printed
        process.standardError = printed
        try process.run()
        try written.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try written.fileHandleForWriting.close()
        let output = try printed.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: output, as: UTF8.self) : nil
    }

    private func startKeyring(unlocked: Bool) async throws {
        try? FileManager.default.removeItem(atPath: "\(folder)/run/keyring")
        let daemon = try ChildDaemon(
            // Without the signal that would end it when a file gets too long, see `limitFiles`.
            "/usr/bin/env",
            ["--ignore-signal=XFSZ", "gnome-keyring-daemon", "--foreground", "--components=secrets"]
                + (unlocked ? ["--unlock"] : []),
            environment: Self.environment(folder), input: unlocked ? Self.password : nil, watchdog: watchdog)
        keyring.withLock { $0 = daemon }
        let store = try await LibsecretBackend.store(
            VaultURL(scheme: Self.scheme, location: ""), VaultReach(patience: .seconds(5)))
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let failure: VaultError?
            do throws(VaultError) {
                _ = try await store.entry(.keys)
                failure = nil
            } catch {
                failure = error
            }
            if unlocked ? failure == nil : failure?.code == .locked { return }
            guard ContinuousClock.now < deadline, !daemon.hasEnded else {
                throw ServerFailure("gnome-keyring-daemon does not answer: \(failure?.message ?? "it is not locked")")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// A server that cannot be started or does not do what it is told.
struct ServerFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
