/// What a policy demands of the rotations of a client; the defaults hold where no policy file says otherwise.
public struct RotationPolicy: Codable, Equatable, Sendable {
    /// The policy's name, for reports.
    public var name = "built-in"
    /// The age at which a secret must have been replaced.
    ///
    /// 90 days is a convention (CIS GCP 1.7), not a figure of NIST's.
    public var maximumAge: TimeSpan = .days(90)
    /// How long before the maximum age `rotate --due` acts.
    public var actBefore: TimeSpan = .days(14)
    /// How long both secrets stay valid at least, from the moment traffic moved.
    public var minimumOverlap: TimeSpan = .zero
    /// How long the drain may last before a person is asked.
    public var maximumOverlap: TimeSpan = .days(7)
    /// How long a reader of `get` may keep the secret it was given.
    public var consumerCache: TimeSpan = .minutes(5)
    /// How old an answer of the vault may be that readers are given; no choice of the policy's but known from the vault.
    public var readStaleness: TimeSpan = .zero
    /// How long the old secret stays turned off before it is removed, where that can be undone.
    public var soak: TimeSpan = .zero
    /// Accepted exchanges in a row that count as verified; `nil` takes the provider's number.
    public var verifyingExchanges: Int?
    /// How long an unverifiable secondary is tried beyond the propagation bound.
    public var verificationPatience: TimeSpan = .minutes(2)
    /// Scopes that a grant must not exceed; `nil` allows any.
    public var allowedScopes: [String]?

    /// The defaults.
    public init() {}

    /// How long after traffic moved a reader of this client may still use what it was given.
    public func readerCache(of registration: Registration) -> TimeSpan {
        (registration.consumerCache ?? consumerCache) + readStaleness
    }
}

/// When rotations may begin, move traffic and remove secrets.
public protocol RotationCalendar: Sendable {
    /// The moment itself when it lies in a window, else the next opening; `nil` when there is none in sight.
    func opening(from moment: Timestamp) -> Timestamp?
}

/// A calendar that is always open.
public struct AlwaysOpen: RotationCalendar {
    /// A calendar that is always open.
    public init() {}

    /// The moment itself.
    public func opening(from moment: Timestamp) -> Timestamp? { moment }
}
