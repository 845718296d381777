public import ArgumentParser
public import KeyoverCore
import KeyoverEngine

extension SecretField: ExpressibleByArgument {}
extension SecretFormat: ExpressibleByArgument {}

/// `keyover get`: the active secret.
///
/// The small front answers the common forms by itself; what arrives here is the rest, `--as` above all.
struct GetCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print the active secret of a client.",
        discussion: """
            With --as the reader becomes a registered consumer: a rotation waits until every consumer whose lease \
            runs has asked again after traffic moved.
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument

    @Option(help: "Print only this; raw prints the secret otherwise, the other formats print everything.")
    var field: SecretField?

    @Option(help: "The form of the answer.")
    var format = SecretFormat.raw

    @Option(name: .customLong("as"), help: ArgumentHelp("Register as this consumer.", valueName: "consumer"))
    var consumer: ConsumerName?

    @Option(help: ArgumentHelp("How long after this the consumer counts as live.", valueName: "time"))
    var lease = TimeSpan.minutes(10)

    func run(in session: Session) async throws -> ExitStatus {
        let answer = try await session.lookingTwice { try await look(in: $0) }
        answer.withUnsafeSecretBytes { session.terminal.emit($0) }
        return .done
    }

    private func look(in session: Session) async throws -> SecretValue {
        // Whoever registers has to write, and learns the newest thereby.
        let vault = try await session.openVault(acceptingStale: consumer == nil)
        guard let record = try await vault.read(client.name)?.record else {
            throw RotationError(
                .unknownClient, "there is no client named \(client.name)", remedy: "run keyover client list")
        }
        let answer = try SecretOutput(record).render(field: field, format: format)
        if let age = (vault as? any StaleReadingVault)?.staleness {
            session.terminal.note(
                "warning: the vault cannot say whether this is the newest; it may be up to \(age.rounded) old")
        }
        if let consumer {
            // Before the answer is given: a consumer that has the secret and is not in the ledger is not waited for.
            try await vault.acknowledge(
                LedgerEntry(
                    consumer: consumer, generation: record.generation, seen: SystemClock().now(), lease: lease),
                of: client.name)
            // A report that came too late to be taken along to another vault would be one that no rotation waits for.
            try await vault.read(client.name)?.record.requireHere()
        }
        return answer
    }
}
