public import KeyoverCore

/// Both clocks of the host, and the power to wait; the simulator drives its own.
public protocol EngineClock: Sendable {
    /// A reading of both clocks.
    func now() -> ClockReading
    /// Returns after the span by the boot clock, or throws `CancellationError`.
    func sleep(for span: TimeSpan) async throws
}
