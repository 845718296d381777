import Glibc

/// What was typed; a tool for developers, so that it needs no argument parser.
struct Arguments {
    var seed: UInt64?
    var from: UInt64 = 1
    var count: UInt64 = 1000
    var jobs = 2
    var isTracing = false
    var stopsAtFirst = false
    var showsCoverage = true

    static let usage = """
        usage: keyover-simulate [--seeds N] [--from N] [--jobs N] [--stop-at-first] [--no-coverage]
               keyover-simulate --seed N [--trace]
        """

    init(_ words: some Sequence<String>) {
        var rest = words.makeIterator()
        while let word = rest.next() {
            switch word {
            case "--seed": seed = Self.number(rest.next())
            case "--seeds": count = Self.number(rest.next())
            case "--from": from = Self.number(rest.next())
            case "--jobs": jobs = Int(max(1, min(64, Self.number(rest.next()))))
            case "--trace": isTracing = true
            case "--stop-at-first": stopsAtFirst = true
            case "--no-coverage": showsCoverage = false
            default: Self.fail()
            }
        }
    }

    private static func number(_ word: String?) -> UInt64 {
        guard let number = word.flatMap({ UInt64($0) }) else { fail() }
        return number
    }

    private static func fail() -> Never {
        print(usage)
        exit(2)
    }
}
