import Foundation
import Glibc

/// What `strace` saw of a program and of all its threads and children.
struct SystemCallTrace: Sendable {
    static let strace = "/usr/bin/strace"

    /// Calls that name, make, change or fill files, and what leaves through sockets; a `?` lets strace pass over those
    /// that this machine does not have.
    private static let traced = [
        "open", "openat", "openat2", "creat", "mkdir", "mkdirat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat",
        "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "execve", "write", "pwrite64",
        "writev", "pwritev", "sendto", "sendmsg", "sendmmsg", "umask", "chown", "fchown", "fchownat",
    ]

    /// One call, as strace writes it: `openat(AT_FDCWD</home>, "/home/file", O_RDONLY|O_CLOEXEC) = 3</home/file>`.
    struct Call: Sendable {
        let text: String
        /// The arguments of the command that made it.
        let command: [String]

        /// The name of the call.
        var name: Substring { text.prefix { $0 != "(" } }
        /// Whether it worked.
        var succeeded: Bool { !text.contains(" = -1 E") && !text.hasSuffix(" = ?") }
        var opens: Bool { name.hasPrefix("open") || name == "creat" }
        var writes: Bool { name.hasSuffix("write64") || name.contains("write") || name.hasPrefix("send") }
        /// The file that an `open` made or opened, resolved by the kernel; otherwise the last path among the arguments.
        var path: String {
            if opens, succeeded, let result = text.range(of: " = ", options: .backwards) {
                return Self.inBrackets(text[result.upperBound...])
            }
            let quoted = text.split(separator: "\"", omittingEmptySubsequences: false)
            let last = quoted.count > 2 ? String(quoted[quoted.count - 2]) : ""
            guard !last.hasPrefix("/") else { return last }
            // Relative to the folder whose descriptor stands before it.
            return Self.inBrackets(text[...]) + "/" + last
        }
        /// What the descriptor that is written to stands for, such as a path or `TCP:[127.0.0.1:1->127.0.0.1:2]`.
        var sink: String { Self.inBrackets(text[...]) }
        /// The descriptor that is written to.
        var descriptor: Int? {
            Int(text.drop { $0 != "(" }.dropFirst().prefix { $0.isNumber })
        }

        private static func inBrackets(_ text: Substring) -> String {
            guard let start = text.firstIndex(of: "<") else { return "" }
            let rest = text[text.index(after: start)...]
            // Connections have an arrow in their names.
            let end = rest.range(of: ">, ") ?? rest.range(of: ">)") ?? rest.range(of: ">", options: .backwards)
            return String(rest[..<(end?.lowerBound ?? rest.endIndex)])
        }
    }

    private(set) var calls: [Call] = []

    /// Adds what the files `PREFIX.PID` of one run hold.
    mutating func add(prefix: String, command: [String]) throws {
        guard let slash = prefix.lastIndex(of: "/") else { throw TestFailure("no folder in \(prefix)") }
        let (folder, start) = (String(prefix[..<slash]), String(prefix[prefix.index(after: slash)...]) + ".")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where name.hasPrefix(start) {
            let text = String(
                decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
            for line in text.split(separator: "\n") where line.contains("(") && !line.hasPrefix("---") {
                calls.append(Call(text: String(line), command: command))
            }
        }
    }

    /// The arguments for strace in front of a program, with a umask that hides no carelessness.
    static func arguments(_ prefix: String, _ program: [String]) -> [String] {
        let list = traced.map { "?" + $0 }.joined(separator: ",")
        return [
            "-c", "umask 000; exec \"$@\"", "sh", strace, "-f", "-ff", "-yy", "-qq", "-s", "65536", "-o", prefix,
            "-e", "trace=" + list, "-e", "signal=none", "--",
        ] + program
    }
}
