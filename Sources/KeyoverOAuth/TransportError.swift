import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// What the libraries below throw, in Keyover's words.
///
/// Their own descriptions are not passed on: some of them quote header fields, and those hold secrets.
struct TransportError: Error {
    let cause: HTTPFailure.Cause
    let message: String

    init(_ cause: HTTPFailure.Cause, _ message: String) {
        self.cause = cause
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let error as TransportError:
            self = error
        case is CancellationError:
            self.init(.cancelled, "the call was cancelled")
        case let error as HTTPClientError:
            self.init(error)
        case let error as NIOConnectionError:
            let isUnknown = error.connectionErrors.isEmpty
            self.init(
                .cannotConnect,
                isUnknown ? "the name of the host is not known" : "the host does not accept a connection")
        case ChannelError.connectTimeout:
            self.init(.cannotConnect, "the host does not answer")
        case let error as HTTPParserError:
            self.init(
                error == .invalidEOFState ? .connectionLost : .malformed,
                error == .invalidEOFState ? "the answer was cut short" : "the answer is not valid HTTP")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError, is NIOTLSUnwrappingError:
            self.init(tls: error)
        case is IOError:
            self.init(.connectionLost, "the connection was reset before the answer was complete")
        default:
            self.init(.connectionLost, "the connection failed before the answer was complete")
        }
    }

    private init(_ error: HTTPClientError) {
        switch error {
        case .cancelled, .requestStreamCancelled:
            self.init(.cancelled, "the call was cancelled")
        case .deadlineExceeded, .readTimeout, .writeTimeout:
            self.init(.timedOut, "no answer in time")
        case .connectTimeout, .getConnectionFromPoolTimeout:
            self.init(.cannotConnect, "the host does not answer")
        case .tlsHandshakeTimeout:
            self.init(.cannotConnect, "the host does not complete the TLS handshake")
        case .remoteConnectionClosed, .uncleanShutdown:
            self.init(.connectionLost, "the connection was closed before the answer was complete")
        default:
            self.init(.malformed, "the HTTP exchange broke its rules")
        }
    }

    private init(tls error: any Error) {
        if error as? NIOSSLError == .uncleanShutdown {
            self.init(.connectionLost, "the connection was cut before the answer was complete")
        } else if error is NIOSSLExtraError {
            self.init(.untrusted, "the server's certificate is for another host")
        } else if String(describing: error).contains("CERTIFICATE_VERIFY_FAILED") {
            self.init(.untrusted, "no trusted authority vouches for the server's certificate, or it has expired")
        } else {
            self.init(.untrusted, "the TLS handshake failed")
        }
    }
}
