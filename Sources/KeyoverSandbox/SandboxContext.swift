import Hummingbird
import NIOCore

/// What goes with a request on its way through guards, faults and endpoints.
struct SandboxContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, for faults that break it and for the port it came in through.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
