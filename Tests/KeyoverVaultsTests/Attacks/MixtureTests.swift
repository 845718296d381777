import Foundation
import GRDB
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// Pieces of a genuine vault in a wrong place or from a wrong time: rows, pages, files.
@Suite struct MixtureTests {
    /// A row of the database, and the columns that make it what it is.
    private struct Place: CustomStringConvertible {
        let table: String
        let key: String
        let columns: [String]
        let rowid: String

        var description: String { "\(table) \(rowid.prefix(12))" }
    }

    private static let tables = [
        ("record", "lookup", ["kind", "id", "serial", "leaf", "digest", "metadata", "payload"]),
        ("ledger", "hex(client) || hex(consumer)", ["serial", "leaf", "entry"]),
        ("node", "position", ["hashes"]),
        ("vault", "only", ["id", "epoch", "counter", "root"]),
    ]

    private static func places(_ database: Database) throws -> [Place] {
        try tables.flatMap { table, key, columns in
            try String.fetchAll(database, sql: "SELECT quote(\(key)) FROM \(table) ORDER BY 1").map {
                Place(table: table, key: key, columns: columns, rowid: $0)
            }
        }
    }

    /// Lays today's vault, changes its database behind Keyover's back, and examines it.
    private func attack(
        _ victim: Victim, _ what: String, _ sql: String
    ) async throws -> Victim.Outcome {
        try victim.specimen.today.lay(in: victim.path)
        let queue = try DatabaseQueue(path: "\(victim.path)/\(VaultImage.database)")
        try await queue.writeWithoutTransaction { database in
            try database.execute(sql: "ATTACH '\(victim.scratch.path)/old/vault.db' AS old")
            try database.execute(sql: sql)
            try #require(database.totalChangesCount > 0, "the attack changes something: \(sql)")
        }
        try queue.close()
        return await victim.examine(what)
    }

    private func host(withMark: Bool = true) async throws -> (victim: Victim, places: [Place], changed: [Place]) {
        let victim = try Victim(try await Specimen.usual.value, withMark: withMark)
        let old = try PrivateDirectory.make(victim.scratch.path + "/old").path
        try victim.specimen.yesterday.lay(in: old)
        try victim.specimen.today.lay(in: victim.path)
        let queue = try DatabaseQueue(path: "\(victim.path)/\(VaultImage.database)")
        defer { try? queue.close() }
        return try await queue.writeWithoutTransaction { database in
            try database.execute(sql: "ATTACH '\(old)/vault.db' AS old")
            let places = try Self.places(database)
            let changed = try places.filter { place in
                let columns = place.columns.joined(separator: ", ")
                let row = "SELECT \(columns) FROM"
                let isRow = "\(place.table) WHERE \(place.key) = \(place.rowid)"
                return try Row.fetchOne(database, sql: "\(row) main.\(isRow) EXCEPT \(row) old.\(isRow)") != nil
            }
            return (victim, places, changed)
        }
    }

    @Test func everyRowReplacedByEveryOtherOrDeleted() async throws {
        let (victim, places, _) = try await host()
        var count = 0
        for place in places {
            let deleted = "DELETE FROM main.\(place.table) WHERE \(place.key) = \(place.rowid)"
            #expect(try await attack(victim, "\(place) was deleted", deleted) != .harmless)
            let others = places.filter { $0.table == place.table && $0.rowid != place.rowid }
            for other in others {
                for columns in [place.columns] + place.columns.map({ [$0] }) where columns != ["kind"] {
                    let list = columns.joined(separator: ", ")
                    let sql = """
                        UPDATE main.\(place.table) SET (\(list)) = (SELECT \(list) FROM main.\(place.table) \
                        WHERE \(place.key) = \(other.rowid)) WHERE \(place.key) = \(place.rowid)
                        """
                    #expect(try await attack(victim, "\(list) of \(place) became those of \(other)", sql) != .harmless)
                    count += 1
                }
            }
        }
        #expect(count > 100, "\(count)")
    }

    /// Each row from today or from yesterday, in every combination; all from yesterday is yesterday's vault.
    @Test(arguments: [true, false]) func noMixtureOfTwoDaysIsTaken(withMark: Bool) async throws {
        let (victim, _, changed) = try await host(withMark: withMark)
        try #require((5...8).contains(changed.count), "\(changed)")
        let all = (1 << changed.count) - 1
        for choice in 1..<all {
            let chosen = changed.indices.filter { choice >> $0 & 1 == 1 }.map { changed[$0] }
            // Who never saw today cannot tell yesterday's root and all that it vouches for from the newest.
            if !withMark, chosen.contains(where: { $0.table == "vault" }) { continue }
            let sql = chosen.map(Self.backInTime).joined(separator: "; ")
            #expect(try await attack(victim, "from yesterday: \(chosen)", sql) != .harmless)
        }
        guard withMark else { return }
        #expect(
            try await attack(victim, "all rows from yesterday", changed.map(Self.backInTime).joined(separator: "; "))
                == .refused)
    }

    private static func backInTime(_ place: Place) -> String {
        let list = place.columns.joined(separator: ", ")
        return """
            UPDATE main.\(place.table) SET (\(list)) = (SELECT \(list) FROM old.\(place.table) \
            WHERE \(place.key) = \(place.rowid)) WHERE \(place.key) = \(place.rowid)
            """
    }

    @Test func everyPageReplacedByEveryOtherOrByYesterdays() async throws {
        let specimen = try await Specimen.small.value
        let (today, yesterday) = (specimen.today[VaultImage.database], specimen.yesterday[VaultImage.database])
        let size = specimen.pageSize
        let (pages, oldPages) = (today.count / size, yesterday.count / size)
        let attacks = 0..<pages * (pages + oldPages)
        let tally = try await Tally.of("exchanged pages", attacks, on: specimen) { victim, number in
            let (page, source) = (number % pages, number / pages)
            let isOld = source >= pages
            let bytes = (isOld ? yesterday : today)[
                (isOld ? source - pages : source) * size..<(isOld ? source - pages + 1 : source + 1) * size]
            var image = specimen.today
            image[VaultImage.database].replaceSubrange(page * size..<(page + 1) * size, with: bytes)
            if image == specimen.today { return try await victim.examine(image, "nothing") }
            return try await victim.examine(image, "page \(page) became \(isOld ? "old " : "")page \(source)")
        }
        #expect(tally.percentNoticed >= 90)
        #expect(tally.harmless <= 3 * pages, "as good as only pages that replace themselves")
    }

    @Test func filesOfAnotherVaultOrDayAreRefused() async throws {
        let specimen = try await Specimen.usual.value
        // Another vault for the same people with clients of the same names, as an attacker can make it.
        let other = try await Specimen.small.value
        let (database, log, key) = (VaultImage.database, VaultImage.log, VaultImage.key)
        var images: [(String, VaultImage)] = [("yesterday's vault", specimen.yesterday)]
        for (name, source) in [("another vault's", other.today), ("another running vault's", other.running)] {
            for file in [database, log, key] where !source[file].isEmpty {
                for (state, base) in [("today's", specimen.today), ("the running", specimen.running)] {
                    var image = base
                    image[file] = source[file]
                    images.append(("\(name) \(file) in \(state) vault", image))
                }
            }
        }
        var withoutLog = specimen.running
        withoutLog.remove(log)
        images.append(("the running vault without its log", withoutLog))
        for isPinned in [true, false] {
            let victim = try Victim(specimen, isPinned: isPinned)
            for (name, image) in images {
                let outcome = try await victim.examine(image, name)
                // A log of other pages or another salt is none of the database's, and SQLite passes over it.
                let isPassedOver = image[database] == specimen.today[database] && image[key] == specimen.today[key]
                #expect(isPassedOver || outcome == .refused, "\(name)")
            }
        }
        // The log of yesterday's changes over today's database, in which they are already.
        var stale = specimen.today
        stale[log] = specimen.running[log]
        #expect(try await Victim(specimen).examine(stale, "an old log came back") == .harmless)
    }
}
