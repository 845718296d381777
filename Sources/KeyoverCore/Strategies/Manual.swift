/// A person makes and deletes the secrets at the provider's console; Keyover does everything in between.
///
/// For consoles with two secrets and no interface, such as the Genesys Cloud administration pages.
struct Manual: Strategy {
    let name = StrategyName("manual")
    let summary = "a person adds and deletes the secrets; Keyover verifies, moves traffic and proves"
    let provision = Provision.person
    let waivers = [
        "invariant 3: Keyover cannot list the provider's secrets, so it cannot see one that a person made and kept back"
    ]
    let pointOfNoReturn = Stage.retiring

    func path(_ capabilities: Capabilities) -> [Stage] {
        [.minting, .staged, .verifying, .cutOver, .draining, .retiring, .proving, .completed]
    }

    func objection(to capabilities: Capabilities) -> String? {
        capabilities.maxSecrets < 2 ? "the provider holds one secret a client only" : nil
    }
}
