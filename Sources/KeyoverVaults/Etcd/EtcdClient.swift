import KeyoverCore
import Synchronization

/// A call of etcd's JSON gateway.
struct EtcdCall: Sendable {
    /// The path, such as `/v3/kv/range`.
    let path: String
    /// The message.
    let body: [UInt8]
    /// Whether it changes something, so that it must not arrive twice.
    let isWrite: Bool
    /// The longest answer that is taken, or the longest line of a stream.
    let answerLimit: Int

    init(
        _ path: String, _ message: some Encodable, isWrite: Bool = false, answerLimit: Int = 8 << 20
    ) throws(VaultError) {
        self.path = path
        self.isWrite = isWrite
        self.answerLimit = answerLimit
        do {
            body = try StoreJSON.encode(message)
        } catch {
            throw VaultError(.invalid, "a request to etcd cannot be written as JSON", underlying: error)
        }
    }
}

/// The members of a cluster, one of which is asked at a time.
///
/// A call that reads goes on to the next member when one does not answer within its share of the patience, and comes back
/// while some member stands but has no leader. A call that writes goes on only as long as it certainly did not arrive.
final class EtcdClient: Sendable {
    let session: EtcdSession
    private let http: StoreHTTP
    private let servers: [ServerURL]
    private let patience: TimeSpan
    private let first = Mutex(0)

    /// - Parameter silence: How long a stream may tell nothing before it counts as dead.
    init(_ servers: [ServerURL], _ reach: VaultReach, silence: TimeSpan) throws(VaultError) {
        self.servers = servers
        patience = reach.patience
        session = try EtcdSession(reach)
        let share = TimeSpan(milliseconds: reach.patience.milliseconds / Int64(servers.count + 1))
        http = try StoreHTTP(reach, silence: silence, connecting: share)
    }

    /// The members, beginning with the one that answered last.
    var order: [ServerURL] {
        let first = first.withLock { $0 }
        return Array(servers[first...] + servers[..<first])
    }

    /// Goes on to the next member, since this one was not satisfying.
    func avoid(_ server: ServerURL) {
        guard let index = servers.firstIndex(of: server) else { return }
        first.withLock { if $0 == index { $0 = (index + 1) % servers.count } }
    }

    private func prefer(_ server: ServerURL) {
        guard let index = servers.firstIndex(of: server) else { return }
        first.withLock { $0 = index }
    }

    /// The first answer of a member.
    ///
    /// - Parameters:
    ///   - patience: How long all of it may take, where that is less than the store's patience.
    ///   - accepting: Whether an answer will do, or another member is asked.
    func answer<Answer: Decodable & Sendable>(
        _ call: EtcdCall, within patience: TimeSpan? = nil, as type: Answer.Type = Answer.self,
        accepting isAccepted: (Answer) -> Bool = { _ in true }
    ) async throws(EtcdFailure) -> Answer {
        let deadline = Deadline(min(patience ?? self.patience, self.patience))
        let share = TimeSpan(milliseconds: deadline.left.milliseconds / Int64(servers.count))
        var failure: EtcdFailure?
        var pause = TimeSpan.milliseconds(50)
        while true {
            var isSomebodyThere = false
            for server in order where deadline.left > .zero {
                do throws(EtcdFailure) {
                    let time = call.isWrite ? deadline.left : min(deadline.left, share)
                    let answer = try await ask(server, call, type, Deadline(time))
                    guard isAccepted(answer) else { throw EtcdFailure(.lost, EtcdFailure.timeIsUp) }
                    prefer(server)
                    return answer
                } catch {
                    guard error.allowsAnother(afterWriting: call.isWrite) else { throw error }
                    isSomebodyThere = isSomebodyThere || error.kind != .notSent
                    // What somebody has to mend is told before what may pass by itself.
                    if failure?.error.isRetryable ?? true { failure = error }
                }
            }
            guard isSomebodyThere, deadline.left > pause, !Task.isCancelled else { break }
            try? await Task.sleep(for: (pause + .milliseconds(.random(in: 0...pause.milliseconds))).duration)
            pause = min(pause * 2, .milliseconds(500))
        }
        throw failure ?? EtcdFailure(.lost, EtcdFailure.timeIsUp)
    }

    /// What a member tells from now on.
    func stream(_ call: EtcdCall, from server: ServerURL) async throws(EtcdFailure) -> StoreStream {
        let deadline = Deadline(patience)
        let token = try await token(from: server, deadline)
        do throws(StoreFailure) {
            var request = request(call, token)
            // A member that has lost its leader then says so instead of nothing.
            request.headers.append(("Grpc-Metadata-hasleader", "true"))
            let stream = try await http.stream(request, to: server, within: deadline.left)
            if stream.status == 401 { session.drop(token) }
            guard stream.status == 200 else {
                throw StoreFailure(.connectionLost, "it answered with status \(stream.status)", from: server)
            }
            return stream
        } catch {
            throw EtcdFailure(error)
        }
    }

    private func ask<Answer: Decodable & Sendable>(
        _ server: ServerURL, _ call: EtcdCall, _ type: Answer.Type, _ deadline: Deadline
    ) async throws(EtcdFailure) -> Answer {
        var isRenewed = false
        while true {
            let token = try await token(from: server, deadline)
            let answer = try await send(request(call, token), to: server, deadline)
            guard answer.status != 200 else {
                guard let message = StoreJSON.object(type, from: answer.body) else {
                    throw EtcdFailure(.lost, EtcdFailure.notEtcd(server))
                }
                return message
            }
            let failure = EtcdFailure(answer, from: server, user: session.user)
            guard failure.kind == .token else { throw failure }
            session.drop(token)
            // The members know each other's tokens, but one that was away may have to catch up.
            guard !isRenewed, token != nil else { throw EtcdFailure(.notSent, failure.error) }
            isRenewed = true
        }
    }

    /// The token to come with, signing in where there is none, which may be repeated anywhere.
    private func token(from server: ServerURL, _ deadline: Deadline) async throws(EtcdFailure) -> String? {
        if let token = session.token { return token }
        guard let request = session.request else { return nil }
        do throws(EtcdFailure) {
            let answer = try await send(request, to: server, deadline)
            guard answer.status == 200 else { throw EtcdFailure(answer, from: server, user: session.user) }
            guard let said = StoreJSON.object(EtcdSignedIn.self, from: answer.body), session.keep(said.token) else {
                throw EtcdFailure(.lost, EtcdFailure.notEtcd(server))
            }
            return said.token
        } catch {
            throw error.kind == .lost ? EtcdFailure(.notYet, error.error) : error
        }
    }

    private func send(
        _ request: StoreRequest, to server: ServerURL, _ deadline: Deadline
    ) async throws(EtcdFailure) -> StoreAnswer {
        let left = deadline.left
        guard left > .zero else { throw EtcdFailure(.notYet, EtcdFailure.timeIsUp) }
        do throws(StoreFailure) {
            return try await http.send(request, to: server, within: left)
        } catch {
            throw EtcdFailure(error)
        }
    }

    private func request(_ call: EtcdCall, _ token: String?) -> StoreRequest {
        StoreRequest(
            method: "POST", target: call.path, headers: token.map { [("Authorization", $0)] } ?? [], body: call.body,
            answerLimit: call.answerLimit)
    }
}

/// When a call has to have ended.
struct Deadline: Sendable {
    private let end: ContinuousClock.Instant

    init(_ time: TimeSpan) {
        end = ContinuousClock.now + time.duration
    }

    /// The time left, at least zero.
    var left: TimeSpan {
        let (seconds, attoseconds) = (end - .now).components
        return max(.zero, .milliseconds(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
