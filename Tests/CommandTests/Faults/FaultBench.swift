import FoundationEssentials
import Glibc
import KeyoverCore
import Testing

/// A home that goes back to where it was after every fault.
final class FaultBench: Sendable {
    let home: KeyoverHome
    let operation: FaultOperation
    /// The calls that the command makes when nothing goes wrong.
    let calls: [FaultPlan.Call]
    private let start: HomeSnapshot
    private let old: VaultState?
    private let new: VaultState?
    /// What lies in the home when the command was run, and run again, and something else was changed.
    private let names: Set<String>

    /// Makes a home, as a rule with a tenant and two clients, and carries the operation out once in it.
    init(_ operation: FaultOperation) async throws {
        let home = try KeyoverHome()
        if !operation.beginsWithNothing { try await Self.fill(home) }
        try await operation.before(home)
        (self.home, self.operation) = (home, operation)
        start = try HomeSnapshot(of: home)
        old = try await VaultState.read(in: home, mayBeOlder: operation.beginsOlder)
        try start.restore()
        let scratch = try KeyoverHome()
        let first = try await Self.run(
            operation, in: home, FaultPlan.counting(below: home.path, into: scratch.path + "/trace"))
        #expect(first.exitCode == 0, "\(operation.testDescription): \(first.errors)")
        calls = try FaultPlan.calls(in: scratch.path + "/trace")
        let second = try await Self.run(operation, in: home)
        #expect(Self.isDone(second, operation), "\(operation.testDescription) again: \(second.errors)")
        new = try await VaultState.read(in: home)
        try await Self.changeSomethingElse(home)
        names = try HomeSnapshot(of: home).names
    }

    private static func fill(_ home: KeyoverHome) async throws {
        try await home.succeed("init")
        try await home.succeed("tenant", "add", "ops", "--provider", "manual", "--set", FaultOperation.tokenURL)
        for name in ["one", "two"] {
            try await home.succeed(
                "client", "add", name, "--tenant", "ops", "--client-id", "id", "--no-verify",
                input: "the secret of \(name)")
        }
    }

    private static func changeSomethingElse(_ home: KeyoverHome) async throws {
        try await home.succeed("tenant", "add", "later", "--provider", "manual", "--set", FaultOperation.tokenURL)
    }

    /// Runs the command with one fault, then asks what is there, runs it again, and asks what is left.
    ///
    /// - Returns: `false` when the fault did not come about, because there are no more calls.
    func examine(_ kind: FaultPlan.Kind, at number: Int) async throws -> Bool {
        try start.restore()
        let call = number <= calls.count ? "\(calls[number - 1].name) \(calls[number - 1].path)" : "?"
        let what = "\(operation.testDescription), \(kind) at call \(number), \(call)"
        let result = try await Self.run(
            operation, in: home, FaultPlan.environment(below: home.path, kind, at: number))
        if kind.isKilling, result.exitCode == 0 { return false }
        expectOrderly(result, kind, what)
        do {
            let state = try await VaultState.read(in: home, mayBeOlder: operation.beginsOlder)
            if result.exitCode == 0 { #expect(state == new, "\(what): it said that it was done") }
            #expect(state == old || state == new, "\(what): \(String(describing: state))")
        } catch {
            Issue.record("\(what): \(error)")
        }
        if operation.changesKeys, !operation.beginsOlder, access(home.path + "/data/keyover/vault", F_OK) == 0 {
            // The state above was read without pins.
            let check = try await home.start(
                program: try KeyoverHome.built("keyover-main"), ["vault", "status"]
            ).finish()
            #expect(check.exitCode == 0, "\(what), looked at: \(check.output)\(check.errors)")
        }
        let again = try await Self.run(operation, in: home)
        #expect(Self.isDone(again, operation), "\(what), again: \(again.ending) \(again.errors)")
        #expect(try await VaultState.read(in: home) == new, "\(what), again")
        if try !difference().isEmpty {
            // The next file of a host's mark lies there until the mark is raised again.
            try await Self.changeSomethingElse(home)
            let names = try difference()
            #expect(names.isEmpty, "\(what) leaves something behind or out")
        }
        if operation.beginsWithNothing || number % 8 == 0 {
            for check in [["vault", "verify"], ["log", "--verify"]] {
                let result = try await home.start(program: try KeyoverHome.built("keyover-main"), check).finish()
                #expect(result.exitCode == 0, "\(what), \(check): \(result.output)\(result.errors)")
            }
        }
        return true
    }

    private func difference() throws -> Set<String> {
        let now = try HomeSnapshot(of: home).names
        return now.symmetricDifference(names).filter { name in operation.mayLack.map { !name.hasPrefix($0) } ?? true }
    }

    private func expectOrderly(_ result: KeyoverProcess.Result, _ kind: FaultPlan.Kind, _ what: String) {
        if kind.isKilling {
            #expect(result.ending == .killed(by: SIGKILL), "\(what): \(result.errors)")
        } else if result.exitCode != 0 {
            #expect(result.exitCode == 1 || result.exitCode == 5, "\(what): \(result.ending) \(result.errors)")
            #expect(result.errors.contains("error: ") || result.output.contains("fault: "), "\(what): \(result.errors)")
            #expect(result.errors.contains("hint: ") || result.output.contains("fault: "), "\(what): \(result.errors)")
        }
    }

    private static func isDone(_ result: KeyoverProcess.Result, _ operation: FaultOperation) -> Bool {
        if result.exitCode == 0 { return true }
        return operation.doneAlready.contains { result.errors.contains($0) }
    }

    private static func run(
        _ operation: FaultOperation, in home: KeyoverHome, _ more: [String: String] = [:]
    ) async throws -> KeyoverProcess.Result {
        // Not the front, which would only hand over.
        try await home.start(
            program: try KeyoverHome.built("keyover-main"), operation.arguments, input: operation.input, more
        ).finish(within: .seconds(60))
    }
}

/// All that lies in a home, to go back to.
struct HomeSnapshot: Sendable {
    private let path: String
    private let files: [String: Data]
    private let folders: [String]

    init(of home: KeyoverHome, where isChosen: (String) -> Bool = { _ in true }) throws {
        path = home.path
        var (files, folders): ([String: Data], [String]) = ([:], [])
        for name in try FileManager.default.subpathsOfDirectory(atPath: path).sorted() where isChosen(name) {
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0 else { throw TestFailure.last("no \(name)") }
            if status.st_mode & S_IFMT == S_IFDIR {
                folders.append(name)
            } else {
                files[name] = try Data(contentsOf: URL(filePath: path + "/" + name))
            }
        }
        (self.files, self.folders) = (files, folders)
    }

    /// The names of files and folders, without the ids of vaults in them, and without what belongs to a database in use.
    var names: Set<String> {
        Set(
            (folders + files.keys).filter { !$0.hasSuffix(".db-wal") && !$0.hasSuffix(".db-shm") }.map { name in
                name.split(separator: "/").map { part in
                    let words = part.split(separator: ".")
                    if words.first.flatMap({ UUIDv7(String($0)) }) != nil { return part.dropFirst(36) }
                    return words.last?.hasPrefix("before-restore-") == true ? part.dropLast(8) : part
                }.joined(separator: "/")
            })
    }

    /// Makes the home what it was.
    func restore() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.removeItem(atPath: path + "/" + name)
        }
        for name in folders {
            guard mkdir(path + "/" + name, 0o700) == 0 else { throw TestFailure.last("no folder \(name)") }
        }
        try write()
    }

    /// Writes the files into folders that are there.
    func write() throws {
        for (name, data) in files {
            let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw TestFailure.last("no \(name)") }
            defer { close(descriptor) }
            let count = data.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count == data.count else { throw TestFailure.last("no \(name)") }
        }
    }
}

extension KeyoverHome {
    /// Removes a folder with everything in it.
    func removeTree(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

    /// Removes the files whose names the condition picks.
    func removeFiles(where isChosen: (String) -> Bool) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) where isChosen(name) {
            guard unlink(path + "/" + name) == 0 else { throw TestFailure.last("cannot remove \(name)") }
        }
    }
}
