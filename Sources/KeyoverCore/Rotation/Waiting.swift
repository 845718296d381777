/// What a rotation waits for between two processes.
public struct Waiting: Codable, Equatable, Sendable {
    /// The kind of wait.
    public enum Kind: String, Codable, Sendable {
        /// A rotation window opens.
        case window
        /// The drain gate opens.
        case drain
        /// A person does something at the provider.
        case person
        /// The provider calms down, or has had time to show what it did.
        case provider
        /// The soak ends.
        case soak
    }

    /// The kind of wait.
    public var kind: Kind
    /// What exactly, for people.
    public var message: String
    /// When to look again; `nil` when only a person can end the wait.
    public var until: Timestamp?

    /// A wait of a kind.
    public init(_ kind: Kind, _ message: String, until: Timestamp?) {
        self.kind = kind
        self.message = message
        self.until = until
    }
}

/// Why a rotation stopped for a person, and how it may go on.
public struct Attention: Codable, Equatable, Sendable {
    /// The listed causes; there are no others.
    public enum Cause: String, Codable, CaseIterable, Sendable {
        /// At the maximum overlap some consumer has still not moved.
        case undrained
        /// The secret that was removed is still accepted.
        case oldStillWorks
        /// Nothing proves whether the removed secret is dead.
        case unproven
        /// The active secret is not accepted any more, and neither is the other.
        case activeRejected
        /// The secondary never worked and could not be rolled back by itself.
        case verificationFailed
        /// The way back is closed: the primary does not work.
        case primaryRejected
        /// A secret at the provider looks new but is not provably ours.
        case ambiguousOrphan
        /// All slots at the provider are taken by secrets that are not ours.
        case quotaFull
        /// The provider refuses the administrative call.
        case providerRefused
        /// The provider's fuse is about to end the old secret and the new one is not verified.
        case deadlineNear
        /// After a leak, there are secrets at the provider that nobody answers for.
        case unknownSecrets
        /// What was read back from the vault is not what was minted.
        case readBackMismatch
    }

    /// Ways on.
    public enum Exit: String, Codable, CaseIterable, Sendable {
        /// `keyover resume`: tries the stage again.
        case resume
        /// `keyover abort`: goes back.
        case abort
        /// `keyover settle`: ends here with the active secret.
        case settle
    }

    /// Why.
    public var cause: Cause
    /// The stage it came from and `resume` returns to.
    public var from: Stage
    /// What exactly, for people.
    public var message: String
    /// When it becomes worse by itself.
    public var deadline: Timestamp?
    /// The ways on.
    public var exits: [Exit]

    /// A need for a person.
    public init(_ cause: Cause, from: Stage, message: String, deadline: Timestamp?, exits: [Exit]) {
        self.cause = cause
        self.from = from
        self.message = message
        self.deadline = deadline
        self.exits = exits
    }
}
