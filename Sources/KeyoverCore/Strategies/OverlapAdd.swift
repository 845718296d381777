/// Adds a second secret beside the first, moves traffic, removes the first by its id.
///
/// For providers that hold several secrets a client at once: Entra ID, Okta, Amazon Cognito, Keystone, OpenBao.
struct OverlapAdd: Strategy {
    let name = StrategyName("overlap-add")
    let summary = "adds a second secret, verifies it, moves traffic, then deletes the first by its id"
    let provision = Provision.calls
    let waivers: [String] = []
    let pointOfNoReturn = Stage.retiring

    func path(_ capabilities: Capabilities) -> [Stage] {
        let reversible: [Stage] = capabilities.reversibleDeactivate ? [.deactivating, .soaking] : []
        return [.minting, .staged, .verifying, .cutOver, .draining] + reversible + [.retiring, .proving, .completed]
    }

    func objection(to capabilities: Capabilities) -> String? {
        if capabilities.maxSecrets < 2 { return "the provider holds one secret a client only" }
        if capabilities.promotesOnAdd { return "the provider promotes a new secret by itself" }
        if !capabilities.deletesByID { return "the provider cannot delete one secret by its id" }
        return nil
    }
}
