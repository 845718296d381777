import Glibc
import KeyoverCore
import KeyoverSealing

/// The few things that commands do to files: never overwriting, never following a link, private from the first instant.
enum FileSystem {
    static func exists(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0
    }

    /// The path as an absolute one, taken from the working directory.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Makes a folder with those above it, mode 0700; existing ones stay as they are.
    static func makeDirectory(_ path: String) throws(ConfigurationError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path != "/" else { throw failed("make", path) }
        try makeDirectory(parent(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failed("make", path) }
    }

    /// Makes a private folder of a fresh name for what need not outlive the command.
    static func makeTemporaryDirectory(_ word: String) throws(ConfigurationError) -> String {
        let wanted = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        let root = wanted.hasPrefix("/") ? wanted : "/tmp"
        var template = Array("\(root)/keyover-\(word).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw failed("make a folder in", root) }
        return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Writes a new file with mode 0600 durably; one that is there already is an error, and a crash leaves all or none.
    static func create(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(ConfigurationError) {
        let file = try SpoolFile(in: parent(of: path))
        try file.append(bytes)
        try file.publish(as: path)
    }

    static func create(_ path: String, _ text: String) throws(ConfigurationError) {
        let bytes = Array(text.utf8)
        try SecretValue(copying: bytes).withUnsafeSecretBytes { raw throws(ConfigurationError) in try create(path, raw)
        }
    }

    /// Removes a file, if there is one.
    static func removeFile(_ path: String) { unlink(path) }

    /// Removes a folder that this process made, with the files in it; links in it are removed, not followed.
    static func removeTree(_ path: String) {
        guard let names = FolderNames.all(in: path) else {
            unlink(path)
            return
        }
        for name in names {
            let child = path + "/" + name
            var information = stat()
            guard lstat(child, &information) == 0 else { continue }
            if information.st_mode & S_IFMT == S_IFDIR {
                removeTree(child)
            } else {
                unlink(child)
            }
        }
        rmdir(path)
    }

    static func synchronizeDirectory(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failed(_ verb: String, _ path: String) -> ConfigurationError {
        ConfigurationError(
            .unreadable, "cannot \(verb) \(path): \(String(cString: strerror(errno)))",
            remedy: errno == EEXIST ? "move it away, or choose another path" : "check who may write there")
    }
}
