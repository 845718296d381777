import Glibc
import HTTPTypes
import Hummingbird
import NIOCore

/// Goes wrong, as the profile says, around the endpoint that carries out one kind of operation.
///
/// What happens, in this order: refused with 429 or 503 before anything is done; a wait before; the operation itself,
/// which commits whether or not its caller still listens; a wait after; a reset connection in place of the answer, if
/// something was committed; a bulky or slow body.
struct FaultMiddleware: RouterMiddleware {
    let operation: SandboxOperation
    let sandbox: Sandbox

    /// Ends the connection; there is nobody left to answer.
    private struct AnswerLost: Error {}

    func handle(
        _ request: Request, context: SandboxContext,
        next: (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        let plan = sandbox.decide { state, _ in state.planFaults(for: operation) }
        if let throttle = plan.throttle { return answer(throttle) }
        try await wait(plan.delayBefore)
        var response = try await next(request, context)
        try await wait(plan.delayAfter)
        if response.status.kind == .successful, sandbox.decide({ state, _ in state.losesAnswer(to: operation) }) {
            await reset(context.channel)
            throw AnswerLost()
        }
        if plan.paddingBytes > 0 || plan.dripBytes > 0 {
            response.body = Self.bulky(response.body, plan)
        }
        return response
    }

    private func wait(_ milliseconds: Int) async throws {
        if milliseconds > 0 { try await Task.sleep(for: .milliseconds(milliseconds)) }
    }

    private func answer(_ throttle: FaultPlan.Throttle) -> Response {
        var headers = HTTPFields()
        switch throttle.retryAfter {
        case .absent: break
        case .seconds: headers[.retryAfter] = String(throttle.seconds)
        case .date: headers[.retryAfter] = sandbox.advertisedTime().advanced(bySeconds: throttle.seconds).httpDate
        }
        return .error(
            HTTPResponse.Status(code: throttle.status), "temporarily_unavailable", "come back later", headers: headers)
    }

    /// Closes so that the peer sees a reset rather than an orderly end.
    private func reset(_ channel: any Channel) async {
        if let socket = channel as? any SocketOptionProvider {
            try? await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try? await channel.close()
    }

    private static func bulky(_ body: ResponseBody, _ plan: FaultPlan) -> ResponseBody {
        ResponseBody(contentLength: body.contentLength.map { $0 + plan.paddingBytes }) { writer in
            try await body.write(BulkyWriter(parent: writer, plan: plan))
        }
    }
}

/// Passes a body on in pieces, each after a wait, and ends it with white space, which JSON allows there.
private struct BulkyWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    let plan: FaultPlan

    mutating func write(_ buffer: ByteBuffer) async throws {
        var rest = buffer
        let pieceBytes = plan.dripBytes > 0 ? plan.dripBytes : max(1, rest.readableBytes)
        while let piece = rest.readSlice(length: min(pieceBytes, rest.readableBytes)), piece.readableBytes > 0 {
            if plan.dripMilliseconds > 0 { try await Task.sleep(for: .milliseconds(plan.dripMilliseconds)) }
            try await parent.write(piece)
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        let block = ByteBuffer(repeating: UInt8(ascii: " "), count: min(plan.paddingBytes, 64 << 10))
        var missing = plan.paddingBytes
        while missing > 0, let piece = block.getSlice(at: block.readerIndex, length: min(missing, block.readableBytes))
        {
            try await write(piece)
            missing -= piece.readableBytes
        }
        try await parent.finish(trailingHeaders)
    }
}
