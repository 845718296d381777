internal import Glibc
public import KeyoverCore

/// Reads policy files: one policy a file, a flat mapping whose keys are those of ``RotationPolicy``.
///
/// A key that is missing keeps its default; one that nobody knows, or a value that a key does not take, is an error
/// that says where it stands.
public struct PolicyLoader: Sendable {
    private static let fileLimit = 1 << 20

    /// A loader.
    public init() {}

    /// The policies of all `*.yaml` and `*.yml` files of a folder, ordered by file name.
    public func load(directory: String) throws(PolicyError) -> PolicySet {
        guard let folder = opendir(directory) else {
            throw PolicyError(
                .unreadable, "the folder of policies \(directory) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "correct the setting policies, or leave it out for the built-in policy")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), name.hasSuffix(".yaml") || name.hasSuffix(".yml") { names.append(name) }
        }
        var policies: [RotationPolicy] = []
        for name in names.sorted() {
            let policy = try load(file: directory + "/" + name)
            if policies.contains(where: { $0.name == policy.name }) {
                throw PolicyError(
                    .invalidValue, "\(directory)/\(name): another file holds the policy \(policy.name) already",
                    remedy: "give each policy a name of its own")
            }
            policies.append(policy)
        }
        return PolicySet(policies)
    }

    /// The policy of one file; without `name` it is called as the file is.
    public func load(file path: String) throws(PolicyError) -> RotationPolicy {
        try parse(try read(path), named: path)
    }

    /// The policy in a text; `path` is what errors call it.
    public func parse(_ text: String, named path: String) throws(PolicyError) -> RotationPolicy {
        let mapping: YAMLMapping
        do {
            mapping = try YAMLMapping(parsing: text)
        } catch {
            throw PolicyError(.unreadable, "\(path):\(error.place): \(error.message)", remedy: "correct the file")
        }
        var policy = RotationPolicy()
        policy.name = Self.stem(of: path)
        for entry in mapping.entries {
            guard let key = PolicyKey.all.first(where: { $0.name == entry.key }) else {
                throw PolicyError(
                    .unknownKey, "\(path):\(entry.place): a policy has no key \(entry.key)",
                    remedy: "use one of: \(PolicyKey.all.map(\.name).joined(separator: ", "))")
            }
            guard key.apply(entry.value, &policy) else {
                throw PolicyError(
                    .invalidValue, "\(path):\(entry.place): \(key.name) takes \(key.wants)",
                    remedy: "correct the value")
            }
        }
        try check(policy, path)
        return policy
    }

    private func check(_ policy: RotationPolicy, _ path: String) throws(PolicyError) {
        if policy.actBefore >= policy.maximumAge {
            throw PolicyError(
                .invalidValue,
                "\(path): act_before is not shorter than maximum_age, so that every secret is always due",
                remedy: "make act_before shorter")
        }
        if policy.minimumOverlap > policy.maximumOverlap {
            throw PolicyError(
                .invalidValue, "\(path): minimum_overlap is longer than maximum_overlap, so that no drain can end",
                remedy: "make minimum_overlap shorter")
        }
    }

    private static func stem(of path: String) -> String {
        let name = path.split(separator: "/").last ?? "policy"
        return String(name.prefix { $0 != "." })
    }

    private func read(_ path: String) throws(PolicyError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.fileLimit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
            guard got > 0 else { break }
            count += got
        }
        guard count <= Self.fileLimit else { throw unreadable(path, "it is longer than \(Self.fileLimit) bytes") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw unreadable(path, "it is not UTF-8")
        }
        return text
    }

    private func unreadable(_ path: String, _ why: String) -> PolicyError {
        PolicyError(.unreadable, "the policy \(path) cannot be read: \(why)", remedy: "correct or remove the file")
    }
}
