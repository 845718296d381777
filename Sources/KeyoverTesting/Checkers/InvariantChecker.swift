internal import KeyoverCore

/// Holds one invariant of DESIGN section 5: hears what happens and looks at the world after every virtual event.
///
/// A checker knows the truth, which no runner does: the server's replicas, the true time, who is dead.
protocol InvariantChecker: AnyObject {
    /// One swap of the client's record took place; an admin's when there is no process.
    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation)
    /// A provider write left its sender.
    func sent(_ write: Intent.Write, by process: SimulatedProcess, in simulation: Simulation)
    /// A runner's exchange with this secret was accepted.
    func proved(_ secret: SimulatedServer.Secret, in simulation: Simulation)
    /// A reader was given a value that it may use until then.
    func given(_ value: SecretValue, until: Int64, in simulation: Simulation)
    /// A person deletes the secret of a slot as she was asked to.
    func removedByHand(_ secret: SimulatedServer.Secret, _ slot: SlotName, in simulation: Simulation)
    /// A machine was lost and a backup restored.
    func restored(_ backup: SimulatedBackup, in simulation: Simulation)
    /// A command was given.
    func ordered(_ order: OperatorOrder, in simulation: Simulation)
    /// Something happened.
    func check(_ simulation: Simulation)
    /// Nothing will happen any more.
    func checkQuiet(_ simulation: Simulation)
}

extension InvariantChecker {
    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation) {}
    func sent(_ write: Intent.Write, by process: SimulatedProcess, in simulation: Simulation) {}
    func proved(_ secret: SimulatedServer.Secret, in simulation: Simulation) {}
    func given(_ value: SecretValue, until: Int64, in simulation: Simulation) {}
    func removedByHand(_ secret: SimulatedServer.Secret, _ slot: SlotName, in simulation: Simulation) {}
    func restored(_ backup: SimulatedBackup, in simulation: Simulation) {}
    func ordered(_ order: OperatorOrder, in simulation: Simulation) {}
    func check(_ simulation: Simulation) {}
    func checkQuiet(_ simulation: Simulation) {}
}

extension Simulation {
    /// The seven invariants; the fifth also watches over the course of the simulation itself.
    static func allCheckers() -> [any InvariantChecker] {
        [
            Invariant1(), Invariant2(), Invariant3(), Invariant4(), Invariant5(), Invariant6(), Invariant7(),
        ]
    }
}
