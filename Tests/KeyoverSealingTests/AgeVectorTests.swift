import Foundation
import KeyoverCore
import KeyoverSealing
import Testing

/// The C2SP vectors of age, where they can be found: in the folder that KEYOVER_AGE_VECTORS names, or beside the package.
private enum AgeVectors {
    static let folder: String? = {
        if let named = ProcessInfo.processInfo.environment["KEYOVER_AGE_VECTORS"] { return named }
        var root = URL(filePath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let candidates = [root.path, FileManager.default.currentDirectoryPath].map { $0 + "/../shared/vectors/age" }
        return candidates.first { FileManager.default.fileExists(atPath: $0) }
    }()

    static let names: [String] = {
        guard let folder, let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [] }
        return names.sorted()
    }()
}

/// One vector: a header of `key: value` lines, an empty line, the file.
private struct AgeVector {
    var fields: [String: [String]] = [:]
    var file: [UInt8]

    var expected: String? { fields["expect"]?.first }
    /// Whether the identities that open it are of a type that this implementation does not have.
    var isForeign: Bool { fields["identity"]?.contains { $0.hasPrefix("AGE-SECRET-KEY-PQ-") } == true }

    init(_ name: String) throws {
        let folder = try #require(AgeVectors.folder)
        let bytes = Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
        var start = 0
        while let end = bytes[start...].firstIndex(of: 10), end > start {
            let line = String(decoding: bytes[start..<end], as: UTF8.self)
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[String(parts[0]), default: []].append(parts[1].trimmingCharacters(in: .whitespaces))
            start = end + 1
        }
        file = Array(bytes[(start + 1)...])
        if fields["compressed"]?.first == "zlib" { file = try Inflate.zlib(file) }
    }

    func identities() throws -> [any AgeIdentity] {
        var result: [any AgeIdentity] = []
        for text in fields["identity"] ?? [] where !text.hasPrefix("AGE-SECRET-KEY-PQ-") {
            result.append(try X25519Identity(SecretValue(copying: text.utf8)))
        }
        for text in fields["passphrase"] ?? [] {
            result.append(try ScryptPassphrase(SecretValue(copying: text.utf8)))
        }
        return result
    }

    /// What happens, in the words of the vectors.
    func outcome() throws -> (word: String, plaintext: SecretValue?) {
        let identities = try identities()
        do throws(AgeError) {
            let isArmored = fields["armored"]?.first == "yes"
            return ("success", try AgeFile.decrypt(isArmored ? try AgeArmor.decode(file) : file, with: identities))
        } catch {
            let word =
                switch error.code {
                case .armor: "armor failure"
                case .header: "header failure"
                case .noMatch: "no match"
                case .hmac: "HMAC failure"
                case .payload: "payload failure"
                case .unsupported, .key: "refused"
                }
            return (word, nil)
        }
    }
}

@Suite(.enabled(if: AgeVectors.folder != nil, "KEYOVER_AGE_VECTORS names no folder"))
struct AgeVectorTests {
    @Test func allVectorsAreThere() {
        #expect(AgeVectors.names.count == 143)
    }

    @Test(arguments: AgeVectors.names)
    func theVectorEndsAsItSays(name: String) throws {
        let vector = try AgeVector(name)
        let (word, plaintext) = try vector.outcome()
        if vector.isForeign, word == "no match" {
            // Such an identity is refused where it is read, and nobody else opens the file.
            let text = try #require(vector.fields["identity"]?.first { $0.hasPrefix("AGE-SECRET-KEY-PQ-") })
            #expect(throws: AgeError.self) { try X25519Identity(SecretValue(copying: text.utf8)) }
            #expect(
                vector.expected == "success" || vector.expected == "header failure" || vector.expected == "no match")
            return
        }
        #expect(word == vector.expected)
        if let plaintext {
            let digest = plaintext.withUnsafeSecretBytes { Hex.encode(SHA256Digest.of(Array($0))) }
            #expect(digest == vector.fields["payload"]?.first)
        }
    }
}
