import ArgumentParser
import KeyoverCore
import KeyoverEngine
import KeyoverSandbox
import KeyoverSealing
import KeyoverVaults

/// `keyover demo`: rotates a secret under live traffic and proves that nobody noticed.
struct DemoCommand: KeyoverSubcommand {
    static let isCancelledBySignals = false

    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Rotate a secret under live traffic, on loopback, and show that nobody notices.",
        discussion: """
            Starts the sandbox, makes a vault in a temporary folder, adopts a client, lets workers fetch the active \
            secret, exchange it for tokens and call the protected resource without pause, and rotates meanwhile. Exits \
            with 1 if any request failed. With --vault libsecret:, etcd:URL or kv:URL the vault is made there under a \
            name of its own, beside whatever is there, and removed at the end.
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(help: "How many workers make requests at once.")
    var workers = 16

    @Option(help: "How many requests there are at least.")
    var requests = 10_000

    @Option(help: "What goes wrong at the server.", completion: .list(SandboxProfile.presets.map(\.name)))
    var profile = "calm"

    @OptionGroup var form: FormatOption

    func validate() throws {
        guard (1...256).contains(workers) else { throw ValidationError("--workers takes a number from 1 to 256") }
        guard (1...10_000_000).contains(requests) else {
            throw ValidationError("--requests takes a number from 1 to 10000000")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let world = try await DemoWorld.make(
            profile: try SandboxCommand.profile(named: profile), vault: try place(in: session))
        if let url = world.temporaryVault?.url { session.terminal.note("the vault is \(url), for the while of this") }
        let report: DemoReport
        do {
            report = try await rotate(in: world, session.terminal)
        } catch {
            do {
                try await world.end()
            } catch let leftover {
                ErrorReport(leftover).show(on: session.terminal)
            }
            throw error
        }
        try await world.end()
        if form.format == .json {
            try session.terminal.show(json: report, onOneLine: true)
        } else {
            report.show(on: session.terminal)
        }
        return report.isGood ? .done : .failed
    }

    /// A configured vault is somebody's; the demonstration goes elsewhere only when that is said on its own command line.
    private func place(in session: Session) throws -> DemoPlace {
        guard globals.vault != nil else { return .temporaryFolder }
        let url = try session.vaultURL()
        guard url.scheme != FileBackend.scheme else {
            throw UsageError(
                "the demonstration makes its file vault in a temporary folder of its own",
                remedy: "leave --vault out, or name another kind of vault: --vault libsecret:, etcd:URL or kv:URL")
        }
        return .below(url, try session.reach())
    }

    private func rotate(in world: DemoWorld, _ terminal: Terminal) async throws -> DemoReport {
        let timeline = DemoTimeline()
        let traffic = DemoTraffic(world: world, workers: workers, atLeast: requests)
        let display = DemoDisplay(terminal, traffic.counters, timeline, target: requests)
        let running = Task { await traffic.run() }
        let showing = Task { await display.run() }
        defer { showing.cancel() }
        let outcome: Result<RotationEngine.Result, any Error>
        do {
            // Some traffic first, so that there is a before.
            try await traffic.counters.reach(min(1000, requests / 10))
            outcome = .success(try await rotation(world, timeline, display))
        } catch {
            outcome = .failure(error)
        }
        traffic.finish()
        await running.value
        showing.cancel()
        await showing.value
        let result = try outcome.get()
        return try await DemoReport(world: world, result: result, timeline: timeline, counters: traffic.counters)
    }

    private func rotation(
        _ world: DemoWorld, _ timeline: DemoTimeline, _ display: DemoDisplay
    ) async throws -> RotationEngine.Result {
        let engine = try await world.workspace.engine(for: world.client) { progress in
            if case .stage(let stage, _) = progress {
                // At this moment readers begin to get the new secret, so here the counts before and after part.
                timeline.enter(stage, statistics: stage == .cutOver ? world.statistics() : nil)
            }
            display.hear(progress)
        }
        timeline.enter(.minting, statistics: nil)
        return try await engine.rotate(
            world.client, reason: "demonstration", options: RotationEngine.Options(wait: .minutes(10)))
    }
}
