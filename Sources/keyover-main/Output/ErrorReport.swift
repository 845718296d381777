import ArgumentParser
import KeyoverCore
import KeyoverSandbox

/// The one place that turns an error into `error:` and `hint:` lines and an exit code.
struct ErrorReport {
    /// The code of the process.
    let status: ExitStatus
    /// What happened; `nil` when it was said already.
    let message: String?
    /// What to do next.
    let hint: String?
    /// The errors below, for `--verbose`.
    let causes: [String]

    init(_ error: any Error) {
        var (status, message, hint): (ExitStatus, String?, String?)
        var causes: [String] = []
        switch error {
        case let finished as Finished:
            (status, message, hint) = (finished.status, nil, nil)
        case let error as any KeyoverError:
            (status, message, hint) = (Self.status(of: error), error.message, error.remedy)
            var below = error.underlying
            while let cause = below {
                causes.append(String(describing: cause))
                below = (cause as? any KeyoverError)?.underlying
            }
        case let error as SandboxError:
            (status, message, hint) = (.failed, error.message, error.remedy)
        case is CancellationError:
            (status, message, hint) = (.failed, "interrupted", nil)
        default:
            (status, message, hint) = (.failed, String(describing: error), nil)
        }
        self.status = status
        self.message = message
        self.hint = hint
        self.causes = causes
    }

    /// Writes the lines to standard error.
    func show(on terminal: Terminal) {
        guard let message else { return }
        terminal.insist(Styled.red("error:", on: terminal.errors) + " " + message.printable)
        for cause in causes where terminal.isVerbose { terminal.insist("  because: \(cause.printable)") }
        if let hint { terminal.insist(Styled.cyan("hint:", on: terminal.errors) + " " + hint.printable) }
    }

    private static func status(of error: any KeyoverError) -> ExitStatus {
        switch error {
        case let error as VaultError: status(of: error)
        case let error as RotationError: status(of: error)
        case is UsageError: .usage
        default: .failed
        }
    }

    private static func status(of error: VaultError) -> ExitStatus {
        switch error.code {
        case .conflict, .rekeyed: .busy
        case .exists, .invalid, .tooLarge: .failed
        case .interrupted: .waiting
        default: .vault
        }
    }

    private static func status(of error: RotationError) -> ExitStatus {
        switch error.code {
        case .unknownClient: .noSuchClient
        case .busy, .superseded, .inProgress: .busy
        case .restored, .moved: .needsAttention
        // Ended by a signal: the rotation is where it was and goes on with the command in the hint.
        case .interrupted: .waiting
        default: .failed
        }
    }
}

/// What ArgumentParser says about a command line that makes no sense, or about help, in Keyover's form.
struct UsageReport {
    let status: ExitStatus
    private let lines: [String]

    init(_ error: any Error, root: any ParsableCommand.Type, arguments: [String]) {
        let text = Self.withholding(arguments, from: root.fullMessage(for: error))
        if root.exitCode(for: error) == .success {
            status = .done
            lines = [text]
            return
        }
        status = .usage
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("Error: ") {
                lines.append("error: " + line.dropFirst("Error: ".count))
            } else if let command = Self.quoted(in: line) {
                lines.append("hint: run \(command)")
            } else {
                lines.append(line)
            }
        }
        self.lines = lines
    }

    /// Writes help to standard output and complaints to standard error.
    func show(on terminal: Terminal) {
        for line in lines {
            if status == .done { terminal.print(line) } else { terminal.insist(line) }
        }
    }

    /// The text without the values that stood beside a flag about a secret: the secret may be one of them by mistake, and
    /// what is written to standard error often ends in a log.
    private static func withholding(_ arguments: [String], from text: String) -> String {
        let flags = ["--secret", "--client-secret", "--admin", "--password"]
        guard arguments.contains(where: { argument in flags.contains { argument.hasPrefix($0) } }) else { return text }
        return arguments.reduce(text) { text, argument in
            let parts = argument.split(separator: "=", maxSplits: 1)
            let value = argument.hasPrefix("-") ? (parts.count == 2 ? parts[1] : "") : argument[...]
            return value.isEmpty ? text : text.replacing("'\(value)'", with: "'...'")
        }
    }

    private static func quoted(in line: String) -> String? {
        guard line.contains("See '"), line.contains("for more information") else { return nil }
        return line.split(separator: "'").dropFirst().first.map(String.init)
    }
}
