public import ArgumentParser
public import KeyoverCore

// What Keyover's own words look like on the command line. A text that breaks a type's rule is a usage error.

extension Name: ExpressibleByArgument {
    /// Reads a name.
    public init?(argument: String) { self.init(argument) }
}

extension TimeSpan: ExpressibleByArgument {
    /// Reads `90d`, `12h`, `10m`, `30s` or `500ms`.
    public init?(argument: String) { self.init(argument) }
}

extension Timestamp: ExpressibleByArgument {
    /// Reads an RFC 3339 date or date-time.
    public init?(argument: String) { self.init(argument) }
}

extension SlotName: ExpressibleByArgument {}

extension Stage: ExpressibleByArgument {}

/// `--auth basic|post`.
enum AuthenticationArgument: String, CaseIterable, ExpressibleByArgument {
    case basic
    case post

    var value: ClientAuthentication { self == .basic ? .basic : .post }
}

/// `KEY=VALUE`, as `--label` and `--set` take it.
struct KeyValue: ExpressibleByArgument {
    let key: String
    let value: String

    init?(argument: String) {
        guard let separator = argument.firstIndex(of: "="), separator > argument.startIndex else { return nil }
        key = String(argument[..<separator])
        value = String(argument[argument.index(after: separator)...])
    }

    var defaultValueDescription: String { "\(key)=\(value)" }
}

/// A number of seconds, minutes, days ago, or a date: what `--since` takes.
struct Since: ExpressibleByArgument {
    private enum Kind {
        case ago(TimeSpan)
        case date(Timestamp)
    }

    private let kind: Kind

    init?(argument: String) {
        if let span = TimeSpan(argument) {
            kind = .ago(span)
        } else if let date = Timestamp(argument) {
            kind = .date(date)
        } else {
            return nil
        }
    }

    /// The moment that is meant.
    func moment(now: Timestamp) -> Timestamp {
        switch kind {
        case .ago(let span): now - span
        case .date(let date): date
        }
    }
}
