import Glibc
public import KeyoverCore

/// Runs a program of the admin's when traffic has moved: `arguments` are an absolute path and what to hand to it.
///
/// The program learns from its environment what has changed (`ROTATED_CLIENT`, `ROTATED_GENERATION`, `ROTATION_ID`) and
/// is never handed a secret. It, and every folder on the way to it, must belong to root or to the user that Keyover runs
/// as, and nobody else may be able to change it. It starts in `/` with an environment of its own, with nothing to read
/// and no descriptor of Keyover's, as leader of its own process group. The group is ended after the time limit; what
/// the program leaves running in good order when it ends by itself is left alone.
public struct CommandDelivery: Delivery {
    /// `command`.
    public static let kind = "command"

    /// How much of the program's output goes into the description of a failure.
    private static let outputLimit = 4096

    private let timeLimit: TimeSpan
    private let grace: TimeSpan

    /// A delivery by command.
    ///
    /// - Parameters:
    ///   - timeLimit: How long the program may run.
    ///   - grace: How long its group has to end by itself once it was asked to.
    public init(timeLimit: TimeSpan = .seconds(27), grace: TimeSpan = .seconds(2)) {
        self.timeLimit = timeLimit
        self.grace = grace
    }

    /// Refuses a target whose program may not be run, without running it.
    public static func check(_ target: DeliveryTarget) throws(DeliveryError) {
        guard let path = target.arguments.first else { throw DeliveryError("the command of a delivery is missing") }
        guard !target.arguments.contains(where: { $0.utf8.contains(0) }) else {
            throw DeliveryError("an argument of \(path) has a NUL in it")
        }
        try TrustedProgram.check(path)
    }

    /// Runs the program of the target and waits for it.
    public func deliver(_ announcement: Announcement, to target: DeliveryTarget) async throws(DeliveryError) {
        try await run(
            target,
            environment: [
                "ROTATED_CLIENT": announcement.client.description,
                "ROTATED_GENERATION": String(announcement.generation), "ROTATION_ID": announcement.rotation.description,
            ])
    }

    /// Runs the program of a target with more in its environment and, where given, with an input to read.
    public func run(
        _ target: DeliveryTarget, environment: [String: String], input: Int32? = nil
    ) async throws(DeliveryError) {
        try Self.check(target)
        let child = ChildProgram(
            arguments: target.arguments, environment: Self.environment(with: environment), input: input,
            outputLimit: Self.outputLimit)
        let stop = StopSignal()
        let (timeLimit, grace) = (timeLimit, grace)
        let result = await withTaskCancellationHandler {
            await BlockingLane("delivery").run(within: timeLimit + grace + .seconds(1)) { _ in
                child.run(for: timeLimit, grace: grace, stop: stop)
            }
        } onCancel: {
            stop.set()
        }
        let path = target.arguments[0]
        switch result {
        case .exited(0, _)?: return
        case .exited(let status, let output)?:
            throw DeliveryError("\(path) ended with status \(status)" + Self.quoted(output))
        case .killed(let signal, let output)?:
            throw DeliveryError("\(path) was ended by signal \(signal)" + Self.quoted(output))
        case .timedOut(let output)?:
            throw DeliveryError("\(path) did not end within \(timeLimit) and was ended" + Self.quoted(output))
        case .stopped?: throw DeliveryError("\(path) was ended because this process was asked to stop")
        case .notStarted(let number)?:
            throw DeliveryError("\(path) cannot be started: \(String(cString: strerror(number)))")
        case nil: throw DeliveryError("\(path) cannot be ended: it hangs in the kernel")
        }
    }

    /// What the program gets to know; nothing else of this process's environment reaches it.
    private static func environment(with more: [String: String]) -> [String] {
        var environment = ["PATH=/usr/bin:/bin"]
        for name in ["HOME", "LANG"] {
            if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
        }
        return environment + more.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// The output in one line, without what could play tricks on a terminal.
    private static func quoted(_ output: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: output, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                if text.last != " " { text.append(" ") }
            default: text.unicodeScalars.append(scalar)
            }
        }
        let words = text.split(separator: " ").joined(separator: " ")
        return words.isEmpty ? "" : ": \(words)"
    }
}
