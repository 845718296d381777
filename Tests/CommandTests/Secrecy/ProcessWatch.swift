import FoundationEssentials
import Glibc
import Synchronization

/// Looks again and again at what the kernel shows of a process and of all that it starts: arguments and environment.
final class ProcessWatch: Sendable {
    private struct Sight {
        var processes: Set<pid_t> = []
        var texts: Set<Data> = []
    }

    private let root: pid_t
    private let sight = Mutex(Sight())

    private init(_ root: pid_t) {
        self.root = root
    }

    /// Watches the process until it has ended, and answers all texts and how many processes there were.
    static func watch(_ process: KeyoverProcess) async throws -> (texts: [Data], processes: Int) {
        let watch = Self(process.pid)
        while !process.hasEnded {
            watch.look()
            try await Task.sleep(for: .milliseconds(2))
        }
        return watch.sight.withLock { (Array($0.texts), $0.processes.count) }
    }

    private func look() {
        for pid in [root] + descendants(of: root) {
            for name in ["cmdline", "environ"] {
                guard let text = FileManager.default.contents(atPath: "/proc/\(pid)/\(name)") else { continue }
                sight.withLock { sight in
                    sight.processes.insert(pid)
                    sight.texts.insert(text)
                }
            }
        }
    }

    private func descendants(of pid: pid_t) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let child = pid_t(name), let parent = Self.parent(of: child) else { continue }
            children[parent, default: []].append(child)
        }
        var found = children[pid] ?? []
        var index = 0
        while index < found.count {
            found += children[found[index]] ?? []
            index += 1
        }
        return found
    }

    /// The number behind the name, which stands in parentheses and may hold anything.
    private static func parent(of pid: pid_t) -> pid_t? {
        let text = FileManager.default.contents(atPath: "/proc/\(pid)/stat").map { String(decoding: $0, as: UTF8.self) }
        let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }
}
