import ArgumentParser
import KeyoverCore

/// `keyover status`.
struct StatusCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where every client stands and what to type next, open items first.")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("Only this client, in full.", valueName: "name"))
    var name: ClientName?

    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let now = workspace.now
        func view(_ record: ClientRecord) throws -> (StatusView, NextStep, Schedule) {
            let step = NextStep(record, at: now, presence: workspace.presence)
            let schedule = Schedule(record, try workspace.policy(for: record))
            return (StatusView(record, step, schedule), step, schedule)
        }
        if let name {
            let record = try await workspace.client(name).record
            let (shown, step, schedule) = try view(record)
            if form.format == .json {
                try session.terminal.show(json: shown)
            } else {
                session.terminal.show(sheet(record, step, schedule, now))
            }
            return .done
        }
        let clients = try await workspace.vault.summaries(ClientRecord.self).map(\.record)
        let views = try clients.map(view).sorted { left, right in
            (left.1.urgency, left.2.actsAt, left.0.client) < (right.1.urgency, right.2.actsAt, right.0.client)
        }
        if form.format == .json {
            try session.terminal.show(json: views.map(\.0))
            return .done
        }
        var table = Table("CLIENT", "STAGE", "GEN", "DUE", "WAITING FOR", "NEXT")
        table.rows = views.map { shown, step, schedule in
            [
                shown.client.description, shown.stage, String(shown.generation),
                shown.rotation == nil ? schedule.words(at: now.wall) : "-", step.waitingFor?.printable ?? "-",
                step.command
                    ?? (shown.rotation == nil && schedule.isDue(at: now.wall) ? "keyover rotate \(shown.client)" : "-"),
            ]
        }
        session.terminal.show(table)
        if clients.isEmpty { session.terminal.note("no clients yet; adopt one with keyover client add") }
        return .done
    }

    private func sheet(_ record: ClientRecord, _ step: NextStep, _ schedule: Schedule, _ now: ClockReading) -> Sheet {
        var sheet = Sheet()
        sheet.add("client", record.name.description)
        sheet.add("stage", record.rotation?.stage.rawValue ?? "idle")
        sheet.add(restored: record.restored)
        sheet.add("generation", "\(record.generation), readers get the \(record.active.rawValue)")
        if let rotation = record.rotation {
            sheet.add("rotation", "\(rotation.id) by \(rotation.strategy)")
            sheet.add("started", "\(rotation.startedAt.wall.minute) by \(rotation.startedBy.words)")
            sheet.add("reason", rotation.reason?.printable)
            sheet.add("in this stage", "since \(rotation.enteredAt.wall.minute)")
            sheet.add("compromised", rotation.compromised?.rawValue)
            sheet.add("recovers from", rotation.recovery.map { "the restore of \($0.at.minute)" })
            sheet.add("waiting for", step.waitingFor?.printable)
            sheet.add("until", step.until?.description)
            sheet.add("fuse", rotation.fuse.map { "the provider ends the old secret at \($0)" })
            for result in rotation.deliveries {
                sheet.add("delivery", "\(result.target.kind): \(result.failure?.printable ?? "done")")
            }
        } else {
            sheet.add("due", "\(schedule.words(at: now.wall)): \(schedule.reason)")
        }
        if let last = record.lastRotation {
            sheet.add("last rotation", "\(last.outcome.rawValue) \(last.endedAt.minute)")
        }
        sheet.add(
            "next",
            step.command
                ?? (record.rotation == nil && schedule.isDue(at: now.wall) ? "keyover rotate \(record.name)" : nil))
        for command in step.alternatives { sheet.add("or", command) }
        return sheet
    }
}

extension Actor {
    /// Who, in words.
    var words: String {
        let who = sudoUser.map { "\($0.printable) (sudo, uid \(uid))" } ?? "uid \(uid)"
        return who + (unit.map { " in \($0.printable)" } ?? "") + " on \(host.printable)"
    }
}
