import ArgumentParser

/// `keyover client`: the clients whose secrets are rotated.
struct ClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Clients: add (adopt), list, show, edit, remove, find, import.",
        subcommands: [
            ClientAddCommand.self, ClientListCommand.self, ClientShowCommand.self, ClientEditCommand.self,
            ClientRemoveCommand.self, ClientFindCommand.self, ClientImportCommand.self,
        ])
}
