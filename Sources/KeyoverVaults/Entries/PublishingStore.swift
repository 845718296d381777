public import KeyoverCore

/// A store that also gives secrets out in plain, beside the sealed entries.
///
/// Keyover itself never reads what is plain; somebody else could have changed it.
public protocol PublishingStore: EntryStore {
    /// What is wrong with what the store gives out at the place of a client: something else than the sealed entry says, or
    /// something older.
    ///
    /// - Parameter published: What a sealed entry says that is to be given out; `nil` for nothing.
    func findings(
        at place: RecordPlace, published: @Sendable ([UInt8]) throws(VaultError) -> PublishedSecret?
    ) async throws(VaultError) -> [VaultVerification.Finding]
}
