import FoundationEssentials
import FuzzSupport
import KeyoverCore

@testable import KeyoverOAuth

// The answer of a token endpoint, written as HTTP writes it: the status, header fields one a line, an empty line, the body.
// Some bytes stand for what a hostile server got from us and repeats: see `Sent`.
private let target = FuzzTarget(seeds: tokenSeeds) { bytes in
    var input = FuzzInput(bytes)
    let status = Int(String(decoding: input.piece(upTo: 10), as: UTF8.self)).map { abs($0 % 1000) } ?? 200
    var headers: [String: String] = [:]
    while true {
        let line = String(decoding: Sent.expand(input.piece(upTo: 10)), as: UTF8.self)
        guard let colon = line.firstIndex(of: ":") else { break }
        headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    let answer = HTTPAnswer(
        status: status, headers: headers, body: Sent.expand(input.rest), sentAt: Sent.time,
        receivedAt: Sent.time + .seconds(1))
    checkTimes(answer)
    checkDepth(answer.body)
    return read(answer)
}

/// What Keyover has sent when the answer comes.
private enum Sent {
    static let time = Timestamp(millisecondsSinceEpoch: 1_795_236_334_123)
    static let secret = SecretValue("canary+%&=:/ \"~*'()!-._SeCrEtVaLuE")
    static let basic = AuthenticatedForm.basicCredentials(clientID: "billing", secret: secret)
    static let reporter = Reporter(
        subject: "token exchange of client billing", text: ServerText(hiding: [secret], andForms: [basic]),
        setting: "token URL")
    /// All the shapes in which the secret was sent.
    static let shapes = [
        secret.plain, PercentEncoding.form(secret.plain), Array(basic.utf8),
        Array(Data(secret.plain).base64EncodedString().utf8),
    ]
    static let pieces = Set(shapes.flatMap { shape in (0...shape.count - 8).map { Array(shape[$0..<$0 + 8]) } })

    /// The bytes with 1 to 4 replaced by what was sent, and 5 to 8 by a piece of it; both fit for a JSON string.
    static func expand(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let quoted = shapes.map { shape in shape.flatMap { $0 == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), $0] : [$0] }
        }
        return bytes.flatMap { byte in
            switch byte {
            case 1...4: quoted[Int(byte) - 1]
            case 5...8: Array(quoted[Int(byte) - 5].dropFirst(3).prefix(9))
            default: [byte]
            }
        }
    }
}

private func read(_ answer: HTTPAnswer) -> FuzzTarget.Outcome {
    let depth = HTTPLimits.exchange.jsonDepth
    guard (200..<300).contains(answer.status) else {
        if (300..<400).contains(answer.status) {
            requireSafe(Sent.reporter.redirect(answer))
        } else {
            let error = Sent.reporter.refusal(answer, depth: depth)
            requireSafe(error)
            require(error.answer?.status == answer.status, "the shape of an answer has another status")
            requireSafe(Sent.reporter.resourceRefusal(answer))
        }
        // Such an answer has done what it is there for when it was understood.
        return BoundedJSON.object(OAuthErrorBody.self, from: answer.body, depth: depth)?.error == nil
            && answer.headers["location"] == nil ? .refused : .accepted
    }
    do throws(ExchangeError) {
        let grant = try TokenExchanger.grant(in: answer, depth: depth, Sent.reporter)
        for text in [grant.accessToken.plain, Array(grant.tokenType.utf8)] {
            require(!text.isEmpty && text.allSatisfy { (0x21...0x7E).contains($0) }, "a token would break a header")
        }
        if let span = grant.expiresIn { require(span >= .zero && span <= .days(3650), "a lifetime of \(span)") }
        require(isNoDeeper(answer.body, than: depth), "a token was read from too deep an answer")
        return .accepted
    } catch {
        requireSafe(error)
        return .refused
    }
}

/// An error shows nothing of the secret, whatever the server says, and is short and on one line.
private func requireSafe(_ error: ExchangeError) {
    for text in [error.message, error.remedy ?? "", error.answer?.error ?? "", "\(error)", String(reflecting: error)] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 8 else { continue }
        for start in 0...bytes.count - 8 {
            require(!Sent.pieces.contains(Array(bytes[start..<start + 8])), "a piece of the secret is in: \(text)")
        }
    }
    requireFit(error.message, limit: 2000)
    require(error.message.count <= 500, "an error has \(error.message.count) characters")
    require(error.message.contains("billing"), "an error does not name its subject")
}

/// Times that a server says are believed within bounds, and do not overflow.
private func checkTimes(_ answer: HTTPAnswer) {
    if let wait = FailureClassifier.retryAfter(in: answer) {
        require(wait >= .zero && wait <= FailureClassifier.longestRetryAfter, "a wait of \(wait)")
    }
    if let date = answer.date {
        require(Timestamp("\(date)") == date, "a date that cannot be written: \(date)")
        requireFit((date - Sent.time).rounded)
    }
}

/// Counting brackets agrees with the recursion that it stands in for.
private func checkDepth(_ body: [UInt8]) {
    guard BoundedJSON.isObject(body, within: 16), (try? JSONDecoder().decode(Depth.self, from: Data(body))) != nil
    else {
        return
    }
    require(isNoDeeper(body, than: 16), "an answer is deeper than it was counted")
}

private func isNoDeeper(_ body: [UInt8], than limit: Int) -> Bool {
    guard let depth = try? JSONDecoder().decode(Depth.self, from: Data(body)) else { return true }
    return depth.value <= limit
}

/// How deep any JSON nests.
private struct Depth: Decodable {
    var value = 0

    init(from decoder: any Decoder) throws {
        if let members = try? decoder.singleValueContainer().decode([String: Depth].self) {
            value = 1 + (members.values.map(\.value).max() ?? 0)
        } else if let elements = try? decoder.singleValueContainer().decode([Depth].self) {
            value = 1 + (elements.map(\.value).max() ?? 0)
        }
    }
}

/// Called by libFuzzer once.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    target.prepare()
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(start, count)
}
