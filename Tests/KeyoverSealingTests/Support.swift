import Crypto
import Foundation
import KeyoverCore
import Testing

enum SHA256Digest {
    static func of(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}

extension SecretValue {
    init(_ text: String) {
        self.init(copying: text.utf8)
    }

    var text: String { withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) } }
}

/// A private folder that is removed with its last holder.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/keyover-sealing-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ contents: String, mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        try Data(contents.utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

/// Runs a program that has to be installed and has to succeed.
func run(_ program: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let (status, output, errors) = try outcome(of: program, arguments, input: input)
    try #require(status == 0, "\(program): \(errors)")
    return output
}

/// Runs a program that has to be installed, and tells how it ended.
func outcome(
    of program: String, _ arguments: [String], input: [UInt8] = []
) throws -> (status: Int32, output: [UInt8], errors: String) {
    // A program that refuses its input need not read all of it.
    signal(SIGPIPE, SIG_IGN)
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let (source, output, errors) = (Pipe(), Pipe(), Pipe())
    process.standardInput = source
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let writer = Thread {
        try? source.fileHandleForWriting.write(contentsOf: Data(input))
        try? source.fileHandleForWriting.close()
    }
    writer.start()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, Array(said), String(decoding: complained, as: UTF8.self))
}
