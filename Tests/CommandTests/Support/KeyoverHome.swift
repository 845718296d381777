import FoundationEssentials
import Glibc

/// A private folder with everything that Keyover keeps, and a way to start the built program in it.
///
/// What it holds goes away with it. No two tests share one.
final class KeyoverHome: Sendable {
    /// The folder.
    let path: String
    /// All of the environment that the programs get, unless a call says more.
    let environment: [String: String]

    /// A new, empty home; the settings are variables such as `KEYOVER_CLAIM_TERM`, made from the path of the folder.
    init(_ settings: (String) -> [String: String] = { _ in [:] }) throws {
        var template = Array("/tmp/keyover-tests.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestFailure.last("no temporary folder") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folders = ["HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state"]
        var environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": path + "/tmp"]
        for (variable, folder) in folders { environment[variable] = path + "/" + folder }
        self.environment = environment.merging(settings(path)) { $1 }
        for folder in folders.values + ["tmp"] {
            guard mkdir(path + "/" + folder, 0o700) == 0 else { throw TestFailure.last("no folder \(folder)") }
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Where the host keeps marks, locks and the audit log.
    var stateDirectory: String { path + "/state/keyover" }

    /// Starts `keyover`.
    func start(
        _ arguments: [String], input: String = "", _ more: [String: String] = [:]
    ) throws -> KeyoverProcess {
        try start(program: try Self.built("keyover"), arguments, input: input, more)
    }

    /// Starts another program in the same environment.
    func start(
        program: String, _ arguments: [String], input: String = "", _ more: [String: String] = [:]
    ) throws -> KeyoverProcess {
        try KeyoverProcess(
            program, arguments, environment: environment.merging(more) { $1 }, input: input, directory: path)
    }

    /// Runs `keyover` to its end.
    @discardableResult
    func run(
        _ arguments: String..., input: String = "", _ more: [String: String] = [:]
    ) async throws -> KeyoverProcess.Result {
        try await start(arguments, input: input, more).finish()
    }

    /// Runs `keyover`, which has to succeed, and answers what it prints.
    @discardableResult
    func succeed(_ arguments: String..., input: String = "") async throws -> String {
        let result = try await start(arguments, input: input).finish()
        guard result.exitCode == 0 else {
            throw TestFailure("keyover \(arguments.joined(separator: " ")): \(result.ending) \(result.errors)")
        }
        return result.output
    }

    /// Runs `keyover ... --format json`, which has to succeed, and reads what it prints.
    func read<Value: Decodable>(_ type: Value.Type, _ arguments: String...) async throws -> Value {
        let result = try await start(arguments + ["--format", "json"]).finish()
        guard result.exitCode == 0 else {
            throw TestFailure("keyover \(arguments.joined(separator: " ")): \(result.ending) \(result.errors)")
        }
        return try JSONDecoder().decode(type, from: Data(result.output.utf8))
    }

    /// Writes a file into the folder and answers its path.
    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o600) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file))
        guard chmod(file, mode) == 0 else { throw TestFailure.last("no mode for \(file)") }
        return file
    }

    /// The bytes of all files of the folder, by path.
    func files() -> [String: Data] {
        var files: [String: Data] = [:]
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? [] {
            if let data = try? Data(contentsOf: URL(filePath: path + "/" + name)) { files[name] = data }
        }
        return files
    }

    /// A program that was built together with these tests.
    static func built(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/" + name
        guard access(path, X_OK) == 0 else { throw TestFailure("there is no \(path): run swift build first") }
        return path
    }
}
