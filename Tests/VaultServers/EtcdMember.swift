import Foundation
import Synchronization

/// One member of a cluster of etcd, which can be ended and started again.
final class EtcdMember: Sendable {
    private let name: String
    private let folder: String
    private let arguments: [String]
    private let process = Mutex<WatchedServer?>(nil)

    /// Where its clients reach it.
    let url: String
    /// Where it keeps its data.
    var storage: String { "\(folder)/\(name)" }
    /// Whether it was started and not ended.
    var isUp: Bool { process.withLock { $0 != nil } }
    /// The end of what it wrote.
    var log: String {
        let text = (try? String(contentsOfFile: storage + ".log", encoding: .utf8)) ?? ""
        return String(text.suffix(500))
    }

    init(
        _ name: String, _ ports: (client: Int, peer: Int), in folder: String, all: String,
        _ certificates: EtcdCertificates
    ) {
        self.name = name
        self.folder = folder
        url = "https://127.0.0.1:\(ports.client)"
        let (peer, member) = ("https://127.0.0.1:\(ports.peer)", certificates.member)
        arguments = [
            "etcd", "--name", name, "--data-dir", "\(folder)/\(name)", "--listen-client-urls", url,
            "--advertise-client-urls", url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", all, "--cert-file", member.chain, "--key-file", member.key, "--peer-cert-file",
            member.chain, "--peer-key-file", member.key, "--peer-trusted-ca-file", certificates.authority,
            "--peer-client-cert-auth", "--bcrypt-cost", "4", "--logger", "zap", "--log-level", "error",
        ]
    }

    func start() throws {
        let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"]
        let started = try WatchedServer(arguments, folder: folder, log: storage + ".log", environment: environment)
        process.withLock { $0 = started }
    }

    /// Ends it at once, as `kill -9` does; its data stay.
    func end() {
        let ended = process.withLock { process in
            defer { process = nil }
            return process
        }
        ended?.kill()
    }

    func signal(frozen: Bool) {
        process.withLock { frozen ? $0?.freeze() : $0?.thaw() }
    }
}
