import KeyoverCore

/// One difference between an inventory and the vault, and what does away with it.
struct InventoryChange: Sendable {
    /// What it is about.
    enum Subject: Hashable {
        case tenant(TenantName)
        case client(ClientName)

        var kind: String { if case .tenant = self { "tenant" } else { "client" } }

        var name: String {
            switch self {
            case .tenant(let name): name.description
            case .client(let name): name.description
            }
        }
    }

    /// What has to be done.
    enum Work {
        case addTenant(TenantRecord)
        case changeTenant(from: TenantRecord, to: TenantRecord)
        case removeTenant
        case adoptClient(ImportEntry)
        case changeClient(from: Registration, to: Registration)
        case removeClient
        /// Nothing that `apply` could do: why, and what a person can do.
        case blocked(message: String, hint: String?)
    }

    /// What is done, in one word.
    enum Action: String, Encodable {
        case add, change, remove, blocked
    }

    let subject: Subject
    let work: Work
    var fields: [FieldChange] = []
    /// What a person should know before saying yes, such as where a secret will be sent.
    var warnings: [String] = []

    var action: Action {
        switch work {
        case .addTenant, .adoptClient: .add
        case .changeTenant, .changeClient: .change
        case .removeTenant, .removeClient: .remove
        case .blocked: .blocked
        }
    }

    /// A difference that an error stands in the way of.
    static func blocked(_ subject: Subject, by error: any Error) -> Self {
        let report = ErrorReport(error)
        return Self(subject: subject, work: .blocked(message: report.message ?? "interrupted", hint: report.hint))
    }
}

/// All differences, in the order in which they are done away with.
struct InventoryPlan: Sendable {
    var changes: [InventoryChange] = []
    /// How many tenants and clients are as the inventory says.
    var unchanged = 0
    /// How many the vault has and the inventory has not, and which are left alone.
    var unlisted = 0
    /// The tenants of the inventory's clients, as they will be.
    var accounts: [TenantName: ImportRun.Account] = [:]

    /// What there is to do.
    var pending: [InventoryChange] { changes.filter { $0.action != .blocked } }
}
