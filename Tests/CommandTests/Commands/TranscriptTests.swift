import Glibc
import Testing

/// What is typed and what comes back, word for word, one file each in `Transcripts`.
@Suite("Transcripts")
struct TranscriptTests {
    @Test("the program says what the transcript says", arguments: Transcript.all)
    func saysSo(_ transcript: Transcript) async throws {
        let home = try KeyoverHome()
        let program = try KeyoverHome.built("keyover")
        let folder = String(program[..<(program.lastIndex(of: "/") ?? program.endIndex)])
        var findings = Findings(["home": home.path])
        var groups: [pid_t] = []
        // What a transcript left running in the background goes with it.
        defer { for group in groups { kill(-group, SIGKILL) } }
        #expect(!transcript.steps.isEmpty)
        for step in transcript.steps {
            let process = try home.start(
                program: "/bin/sh", ["-c", findings.filled(step.command)], ["PATH": folder + ":/usr/bin:/bin"])
            if step.command.contains(" & ") { groups.append(process.pid) }
            let result = try await process.finish()
            let place = "\(transcript.path):\(step.line): \(step.command)"
            let (output, errors) = (Self.lines(result.output), Self.lines(result.errors))
            #expect(result.exitCode == step.exitCode, "\(place)\n\(result.output)\(result.errors)")
            let saysSo = findings.accept(output, as: step.output)
            let complainsSo = findings.accept(errors, as: step.errors)
            #expect(
                saysSo,
                "\(place)\nexpected:\n\(step.output.joined(separator: "\n"))\nfound:\n\(result.output)")
            #expect(
                complainsSo,
                "\(place)\nexpected:\n\(step.errors.joined(separator: "\n"))\nfound:\n\(result.errors)")
            guard result.exitCode == step.exitCode else { return }
        }
    }

    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last == "" { lines.removeLast() }
        return lines
    }
}
