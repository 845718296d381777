import Glibc
public import KeyoverCore

/// Who runs this process, as the kernel and systemd say.
public enum CurrentActor {
    /// The longest text taken over from outside.
    private static let limit = 256

    /// The actor of this process, on a host of this name.
    public static func read(host: Name<HostRecord>) -> Actor {
        let cgroup = BoundedFile.read("/proc/self/cgroup", limit: 16 << 10) ?? []
        return Actor(
            uid: getuid(), sudoUser: getenv("SUDO_USER").flatMap { sudoUser(String(cString: $0)) },
            unit: unit(inCgroup: String(decoding: cgroup, as: UTF8.self)), host: host.description)
    }

    /// The name of this host as far as a record can bear it; what no name may hold becomes a hyphen.
    public static func hostName() -> Name<HostRecord> {
        var buffer = [UInt8](repeating: 0, count: limit)
        let isKnown = buffer.withUnsafeMutableBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { gethostname($0, characters.count - 1) == 0 } ?? false
            }
        }
        return hostName(isKnown ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : "")
    }

    static func hostName(_ text: String) -> Name<HostRecord> {
        var cleaned = ""
        for byte in text.utf8.prefix(128) {
            let character = Character(Unicode.Scalar(byte))
            let isAllowed = character.isASCII && (character.isLetter || character.isNumber)
            if isAllowed || !cleaned.isEmpty && byte == UInt8(ascii: ".") && cleaned.last != "." {
                cleaned.append(character)
            } else if !cleaned.isEmpty {
                cleaned.append("-")
            }
        }
        return Name(cleaned) ?? fallback
    }

    /// The user name in `SUDO_USER` when it looks like one.
    static func sudoUser(_ text: String) -> String? {
        let isName = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$")].contains(byte)
        }
        return isName && (1...64).contains(text.utf8.count) ? text : nil
    }

    /// The innermost service in a text such as `0::/system.slice/keyover.service`.
    static func unit(inCgroup text: String) -> String? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "0" && fields[1].isEmpty || fields[1] == "name=systemd" else {
                continue
            }
            let service = fields[2].split(separator: "/").last { $0.hasSuffix(".service") }
            guard let service, service.utf8.count <= limit, service.utf8.allSatisfy({ (33...126).contains($0) }) else {
                continue
            }
            return String(service)
        }
        return nil
    }

    private static let fallback: Name<HostRecord> = {
        guard let name = Name<HostRecord>("localhost") else { preconditionFailure("localhost is a valid name") }
        return name
    }()
}
