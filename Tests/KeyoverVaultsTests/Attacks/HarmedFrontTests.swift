import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// A sample of the same attacks, seen from outside: what the built `keyover get` prints and how it ends.
@Suite struct HarmedFrontTests {
    private struct Host {
        let victim: Victim
        let program: String
        var key: String { victim.scratch.path + "/identity" }

        init() async throws {
            victim = try Victim(try await Specimen.small.value)
            program = try #require(FileManager.default.resolvingExecutable("keyover"))
            try IdentityFile.text(of: victim.specimen.identity).withUnsafeSecretBytes {
                try writePrivately(Data($0), to: key)
            }
        }

        /// Whether the front refuses; a wrong answer, or a refusal in another form than promised, is an issue.
        func isRefused(_ image: VaultImage, _ what: String) throws -> Bool {
            try image.lay(in: victim.path)
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = ["--vault", "file:" + victim.path, "--identity", key, "get", "one"]
            process.environment = [
                "HOME": victim.scratch.path, "KEYOVER_STATE_DIR": victim.access.stateDirectory ?? "",
                "KEYOVER_VAULT_ID": victim.specimen.pin.vaultID?.description ?? "",
                "KEYOVER_KEY_COMMITMENT": Hex.encode(victim.specimen.pin.commitments.first ?? []),
            ]
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            let complained = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationReason == .exit, "\(what)")
            if process.terminationStatus == 0 {
                #expect(said == "the one in force\n" && complained.isEmpty, "\(what)")
                return false
            }
            #expect(process.terminationStatus == 5 && said.isEmpty, "\(what): \(complained)")
            #expect(complained.hasPrefix("error: ") && complained.contains("\nhint: "), "\(what): \(complained)")
            return true
        }
    }

    @Test func flippedBytesGiveNoWrongAnswer() async throws {
        let host = try await Host()
        let specimen = host.victim.specimen
        var (count, refusals) = (0, 0)
        for (name, image) in [
            (VaultImage.database, specimen.today), (VaultImage.log, specimen.running), (VaultImage.key, specimen.today),
        ] {
            for position in stride(from: 0, to: image[name].count, by: 97) {
                var harmed = image
                harmed[name][position] ^= 1 << UInt8(count % 8)
                count += 1
                refusals += try host.isRefused(harmed, "byte \(position) of \(name) was flipped") ? 1 : 0
            }
        }
        print("flips seen by the front: \(refusals) of \(count) refused")
        #expect(count > 100 && refusals * 2 > count)
    }

    @Test func filesCutShortGiveNoWrongAnswer() async throws {
        let host = try await Host()
        let specimen = host.victim.specimen
        for (name, image) in [
            (VaultImage.database, specimen.today), (VaultImage.log, specimen.running), (VaultImage.key, specimen.today),
        ] {
            for length in stride(from: 0, to: image[name].count - 1, by: 389) {
                var harmed = image
                harmed[name].removeSubrange(length...)
                #expect(try host.isRefused(harmed, "\(name) was cut to \(length) bytes"))
            }
        }
    }

    @Test func yesterdaysVaultIsRefusedAndTodaysIsNot() async throws {
        let host = try await Host()
        let specimen = host.victim.specimen
        #expect(try host.isRefused(specimen.yesterday, "yesterday's vault"))
        #expect(try host.isRefused(specimen.today, "today's vault") == false)
        #expect(try host.isRefused(specimen.running, "today's running vault") == false)
    }
}
