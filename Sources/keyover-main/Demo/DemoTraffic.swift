import AsyncHTTPClient
import FoundationEssentials
import KeyoverCore
import KeyoverSandbox
import NIOCore
import NIOHTTP1
import Synchronization

/// Workers that fetch the active secret, exchange it for a token and call the protected resource, without pause.
///
/// Each round asks the vault, as `keyover get` does, and gets a token of its own. Connections are pooled, as those of
/// applications are.
final class DemoTraffic: Sendable {
    /// How often a worker that is told to come back later does so.
    private static let attempts = 30

    let counters = DemoCounters()
    private let world: DemoWorld
    private let workers: Int
    private let target: Int
    private let mayEnd = Atomic<Bool>(false)

    init(world: DemoWorld, workers: Int, atLeast target: Int) {
        self.world = world
        self.workers = workers
        self.target = target
    }

    /// Lets the workers stop as soon as they have made enough requests.
    func finish() { mayEnd.store(true, ordering: .relaxed) }

    /// Returns when the workers have stopped.
    func run() async {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = workers
        let http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers {
                group.addTask { while !self.isOver { await self.round(http) } }
            }
        }
        try? await http.shutdown()
    }

    private var isOver: Bool {
        Signals.wasAsked || mayEnd.load(ordering: .relaxed) && counters.requests >= target
    }

    /// One request as an application makes it.
    private func round(_ http: HTTPClient) async {
        do {
            let token = try await token(http)
            try await callResource(token, http)
            counters.succeeded()
        } catch {
            counters.failed(String(describing: error))
        }
    }

    private func token(_ http: HTTPClient) async throws -> String {
        for _ in 0..<Self.attempts {
            let asked = ContinuousClock.now
            guard let record = try await world.workspace.vault.read(world.client)?.record else {
                throw DemoFailure("the vault has lost the client")
            }
            guard let secret = record.activeSlot.value, let url = record.registration.tokenURL else {
                throw DemoFailure("the vault gave no secret")
            }
            // A consumer that declares a cache of so long must not use an older secret, on a busy machine either.
            guard asked.duration(to: .now) < DemoWorld.consumerCache.duration / 2 else { continue }
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            request.headers.add(
                name: "Authorization", value: "Basic " + Self.basic(record.activeSlot.clientID, secret))
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: "grant_type=client_credentials&scope=read"))
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 1 << 20)
            switch response.status {
            case .ok:
                return try JSONDecoder().decode(Grant.self, from: Data(body.readableBytesView)).accessToken
            case .tooManyRequests, .serviceUnavailable:
                counters.throttled()
                try await Task.sleep(for: Self.pause(response))
            default:
                throw DemoFailure(
                    "the secret of generation \(record.generation) was answered \(response.status.code)"
                )
            }
        }
        throw DemoFailure("the server told a worker \(Self.attempts) times to come back later")
    }

    private func callResource(_ token: String, _ http: HTTPClient) async throws {
        var request = HTTPClientRequest(url: world.server.baseURL + "/resource")
        request.headers.add(name: "Authorization", value: "Bearer " + token)
        let response = try await http.execute(request, timeout: .seconds(30))
        _ = try await response.body.collect(upTo: 1 << 20)
        guard response.status == .ok else {
            throw DemoFailure("the resource answered \(response.status.code)")
        }
    }

    private static func pause(_ response: HTTPClientResponse) -> Duration {
        let wanted = response.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 1
        return .milliseconds(min(max(wanted, 1), 5) * 1000 + Int.random(in: 0...250))
    }

    /// Id and secret, each form-encoded, as RFC 6749 section 2.3.1 says.
    private static func basic(_ clientID: String, _ secret: SecretValue) -> String {
        let encoded = secret.withUnsafeSecretBytes { formEncoded($0) }
        return Data(formEncoded(clientID.utf8) + [UInt8(ascii: ":")] + encoded).base64EncodedString()
    }

    private static func formEncoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                result.append(byte)
            case UInt8(ascii: " "): result.append(UInt8(ascii: "+"))
            default: result += Array(("%" + Hex.encode(CollectionOfOne(byte)).uppercased()).utf8)
            }
        }
        return result
    }

    private struct Grant: Decodable {
        let accessToken: String

        private enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
    }
}

/// Why a request of the demonstration failed; never with a secret in it.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
