import KeyoverCompliance
import Testing

@Suite("YAML as a tree")
struct YAMLNodeTests {
    /// The tree in one line, with the place of each scalar.
    private func outline(_ text: String) throws -> String { outline(try YAMLNode(parsing: text)) }

    private func outline(_ node: YAMLNode) -> String {
        switch node.value {
        case .null: "-"
        case .text(let text): "'\(text)'@\(node.place)"
        case .list(let items): "[" + items.map(outline).joined(separator: " ") + "]"
        case .mapping(let entries): "{" + entries.map { "\($0.key)=\(outline($0.value))" }.joined(separator: " ") + "}"
        }
    }

    @Test("texts, lists and mappings are read with their places")
    func tree() throws {
        #expect(
            try outline("a: 1\nb:\n  - x\n  - {c: 'd e', f: [~, \"null\"]}\n")
                == "{a='1'@1:4 b=['x'@3:5 {c='d e'@4:9 f=[- 'null'@4:23]}]}")
        #expect(try outline("") == "-")
        #expect(try outline("a:\nb: null\nc: ''\n") == "{a=- b=- c=''@3:4}")
    }

    @Test(
        "an asterisk that is no alias is none",
        arguments: [
            "a: '*x'", "a: \"*x\"", "a: b*c", "a: read:*", "a: x *y", "- '*x'  # *y", "a: [\"*\", '*b', c*]", "# *x",
            "a: it's *x", "a: 'it''s, *x'", "a: \"\\\", *x\"", "a: Tom, *x",
        ])
    func asterisk(text: String) {
        // Yams may object to some of them; the point is who does.
        do {
            _ = try YAMLNode(parsing: text)
        } catch {
            #expect(!error.message.contains("alias"), "\(error.message)")
        }
    }

    @Test(
        "aliases are refused with their place, however they are hidden",
        arguments: [
            ("a: &x 1\nb: *x", "2:4"), ("a: &x 1\nb: [*x]", "2:5"), ("a: &x 1\nb: {c: *x}", "2:8"),
            ("a: &x 1\nb: [1,*x]", "2:7"), ("- &x 1\n- *x", "2:3"), ("- &x 1\n- - *x", "2:5"),
            ("&x a: 1\n*x : 2", "2:1"),
            ("a: &x 1\n? *x\n: 2", "2:3"), ("a: &x 1\nb: &y *x", "2:7"), ("a: &x 1\n<<: *x", "2:5"),
            ("a: &x 1\nb: ['it''s', *x]", "2:14"), ("a: &x 1\nb: [\"\\\"\", *x]", "2:11"),
            ("a: &x 1\nb: {\"c\":*x}", "2:9"), ("a: &x 1\nb: [!!str *x]", "2:11"), ("a: &x 1\nb:\n\t*x", "3:2"),
        ])
    func aliases(text: String, place: String) {
        let error = #expect(throws: YAMLMapping.Objection.self) { try YAMLNode(parsing: text) }
        #expect(error?.message.contains("no aliases") == true, "\(error?.message ?? "")")
        #expect(error?.place.description == place)
    }

    @Test(
        "where there is an asterisk, nothing may go on for several lines that could hide an alias",
        arguments: [
            "a: &x 1\nb: [\"\n'a\", *x, 'c']", "a: &x 1\nb: [c\n  'd, *x, e']", "a: |\n  'x\nb: *x\nc: '",
            "a: >-\n  x\nb: c*d",
        ])
    func hidden(text: String) {
        #expect(throws: YAMLMapping.Objection.self) { try YAMLNode(parsing: text) }
    }

    @Test("documents that grow when they are put together do not get so far")
    func bombs() {
        var values = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        var keys = "? &a0 [x, x]\n: 1\n"
        for level in 1...60 {
            let alias = "*a\(level - 1)"
            values += "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
            keys += "? &a\(level) [\(alias), \(alias)]\n: 1\n"
        }
        for text in [values, keys, String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000)] {
            #expect(throws: YAMLMapping.Objection.self) { try YAMLNode(parsing: text) }
        }
    }

    @Test("keys that stand twice and keys that are no words are refused")
    func keys() {
        for text in ["a: 1\na: 2", "- {a: 1, a: 2}", "? [a]\n: 1", "? {a: b}\n: 1", "a: 1\n---\nb: 2"] {
            #expect(throws: YAMLMapping.Objection.self, "\(text)") { try YAMLNode(parsing: text) }
        }
    }
}
