import KeyoverCore
import KeyoverSealing
import Testing

@testable import KeyoverVaults

/// Whatever answers instead of etcd is told from it, within the patience, and gets no change twice.
@Suite struct EtcdHostileTests {
    private static let patience = TimeSpan.milliseconds(1500)
    private static let header = #""header":{"cluster_id":"1","revision":"9"}"#
    private static let noLeader = #"{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}"#

    private static func store(_ server: ScriptedServer) throws -> EtcdStore {
        try EtcdStore(VaultURL(scheme: "etcd", location: server.origin), VaultReach(patience: patience))
    }

    private static func kv(_ key: String, _ rest: String = #","value":"eA==","mod_revision":"3""#) -> String {
        #"{"key":"\#(key)"\#(rest)}"#
    }

    // "/keyover/keys" in base64.
    private static let keysKey = "L2tleW92ZXIva2V5cw=="

    private static let readings: [(String, ScriptedServer.Reply, VaultError.Code)] = [
        ("another protocol", .raw("SSH-2.0-OpenSSH_9.2\r\n"), .notTrusted),
        ("no JSON", .answer("<html>"), .notTrusted),
        ("a list", .answer("[]"), .notTrusted),
        ("an empty object", .answer("{}"), .notTrusted),
        ("deep nesting", .answer(#"{"a":"# + String(repeating: "[", count: 100_000)), .notTrusted),
        ("an endless body", .forever(String(repeating: "x", count: 1 << 18), after: endless), .notTrusted),
        ("an endless header", .forever("X: y\r\n", after: "HTTP/1.1 200 OK\r\n"), .notTrusted),
        ("nothing", .silence, .unavailable),
        ("a slow body", .forever(" ", after: "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"), .unavailable),
        ("a cut answer", .raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"), .unavailable),
        ("the end of the connection", .reset, .unavailable),
        (
            "another place",
            .answer("", status: "302 Found", headers: ["Location: http://127.0.0.1:1/v3/kv/range"]), .notTrusted
        ),
        ("no such page", .answer("404 page not found", status: "404 Not Found"), .notTrusted),
        ("a failing proxy", .answer("oops", status: "502 Bad Gateway"), .unavailable),
        ("no leader", .answer(noLeader, status: "503 Service Unavailable"), .unavailable),
        ("another key", .answer("{\(header),\"kvs\":[\(kv("b3RoZXI="))]}"), .notTrusted),
        ("two keys", .answer("{\(header),\"kvs\":[\(kv(keysKey)),\(kv(keysKey))]}"), .notTrusted),
        ("no revision", .answer("{\(header),\"kvs\":[\(kv(keysKey, ""))]}"), .notTrusted),
        (
            "a revision that is none", .answer("{\(header),\"kvs\":[\(kv(keysKey, #","mod_revision":"x""#))]}"),
            .notTrusted
        ),
        ("no base64", .answer("{\(header),\"kvs\":[\(kv("?!"))]}"), .notTrusted),
    ]
    private static let endless = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"

    @Test(arguments: readings.indices)
    func whatIsNotAnAnswerOfEtcdIsRefusedInTime(index: Int) async throws {
        let (what, reply, code) = Self.readings[index]
        try await ScriptedServer.run { _ in
            reply
        } _: { server in
            let store = try Self.store(server)
            let start = ContinuousClock.now
            let error = await failure { _ = try await store.entry(.keys) }
            // What is wrong with an answer may show before the time is up or after it.
            let isLate = error?.code == .unavailable && what.hasPrefix("an endless")
            #expect(error?.code == code || isLate, "\(what): \(String(describing: error))")
            #expect(error?.remedy != nil, "\(what)")
            #expect(start.duration(to: .now) < .seconds(6), "\(what)")
        }
    }

    @Test func anAnswerOfEtcdIsTaken() async throws {
        try await ScriptedServer.run { _ in
            .answer("{\(Self.header),\"kvs\":[\(Self.kv(Self.keysKey))]}")
        } _: { server in
            let found = try await Self.store(server).entry(.keys)
            #expect(found?.bytes == [0x78] && found?.version == EntryVersion("3"))
            #expect(server.paths == ["/v3/kv/range"])
        }
    }

    @Test func aListingThatGoesRoundIsRefused() async throws {
        let key = "L2tleW92ZXIvcmVjb3Jkcy94"
        let page = "{\(Self.header),\"more\":true,\"kvs\":[\(Self.kv(key))]}"
        try await ScriptedServer.run { _ in
            .answer(page)
        } _: { server in
            let error = await failure { _ = try await Self.store(server).entries(.records) }
            #expect(error?.code == .notTrusted)
            #expect(server.paths.count == 2)
        }
    }

    private static let refusals: [(String, ScriptedServer.Reply, VaultError.Code)] = [
        ("no leader", .answer(noLeader, status: "503 Service Unavailable"), .unavailable),
        ("the end of the connection", .reset, .unavailable),
        ("nothing", .silence, .unavailable),
        ("no JSON", .answer("<html>"), .notTrusted),
        (
            "no space",
            .answer(refusal("etcdserver: mvcc: database space exceeded", 8), status: "429 Too Many Requests"), .full
        ),
        (
            "a large request", .answer(refusal("etcdserver: request is too large", 3), status: "400 Bad Request"),
            .tooLarge
        ),
        ("no permission", .answer(refusal("etcdserver: permission denied", 7), status: "403 Forbidden"), .locked),
        ("another revision", .answer("{\(header)}"), .conflict),
    ]

    private static func refusal(_ words: String, _ code: Int) -> String {
        #"{"error":"\#(words)","message":"\#(words)","code":\#(code)}"#
    }

    @Test(arguments: refusals.indices)
    func aChangeIsSentOnce(index: Int) async throws {
        let (what, reply, code) = Self.refusals[index]
        try await ScriptedServer.run { _ in
            reply
        } _: { server in
            let store = try Self.store(server)
            let error = await failure { try await store.put(Entry(.keys, [1]), expecting: nil, while: nil) }
            #expect(error?.code == code, "\(what): \(String(describing: error))")
            #expect(server.paths == ["/v3/kv/txn"], "\(what)")
        }
    }

    @Test func aChangeGoesToAnotherMemberOnlyWhenItHasNotArrived() async throws {
        let done = "{\(Self.header),\"succeeded\":true}"
        try await ScriptedServer.run { _ in
            .answer(done)
        } _: { server in
            // Nobody listens on the first port.
            let url = VaultURL(scheme: "etcd", location: "http://127.0.0.1:1,\(server.origin)")
            let store = try EtcdStore(url, VaultReach(patience: Self.patience))
            try await store.put(Entry(.keys, [1]), expecting: nil, while: nil)
            #expect(server.paths == ["/v3/kv/txn"])
        }
        try await ScriptedServer.run { _ in
            .reset
        } _: { first in
            try await ScriptedServer.run { _ in
                .answer(done)
            } _: { second in
                let url = VaultURL(scheme: "etcd", location: "\(first.origin),\(second.origin)")
                let store = try EtcdStore(url, VaultReach(patience: Self.patience))
                let error = await failure { try await store.put(Entry(.keys, [1]), expecting: nil, while: nil) }
                #expect(error?.code == .unavailable)
                #expect(second.paths.isEmpty)
            }
        }
    }
}
