import AsyncHTTPClient
import Glibc
import KeyoverCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A call to a store's server that did not end with a complete answer.
///
/// The libraries' own descriptions are not passed on: some of them quote header fields, and those hold credentials.
struct StoreFailure: Error {
    /// What went wrong.
    enum Cause: Sendable {
        /// No connection: name unknown, port closed, host unreachable.
        case cannotConnect
        /// TLS did not come about, or the certificate is not one to trust.
        case untrusted
        /// The time was up, or the task was cancelled.
        case timedOut
        /// The connection ended before the answer was complete.
        case connectionLost
        /// The answer is longer than the caller takes.
        case tooLarge
        /// The answer is not what was asked for.
        case malformed
    }

    /// What went wrong.
    let cause: Cause
    /// Whether the server may have got the request, so that it must not be sent again where it changes something.
    let mayHaveArrived: Bool
    /// What to tell people.
    let error: VaultError

    /// A failure found in a complete answer.
    init(_ cause: Cause, _ message: String, from server: ServerURL) {
        self.init(Found(cause, message), mayHaveArrived: true, server)
    }

    init(_ error: any Error, mayHaveArrived: Bool, _ server: ServerURL) {
        let found = Found(error)
        cause = found.cause
        self.mayHaveArrived = mayHaveArrived && found.cause != .cannotConnect
        let message = "the vault's server \(server.authority): \(found.message)"
        self.error =
            switch found.cause {
            case .cannotConnect:
                VaultError(
                    .unavailable, message, remedy: "start the server, or correct the URL of the vault",
                    isRetryable: true)
            case .timedOut, .connectionLost:
                VaultError(.unavailable, message, remedy: "run the command again", isRetryable: true)
            case .untrusted:
                VaultError(.notTrusted, message, remedy: found.remedy)
            case .tooLarge, .malformed:
                VaultError(.notTrusted, message, remedy: "check what answers at \(server.origin)")
            }
    }

    /// What a library threw, in Keyover's words.
    struct Found: Error {
        let cause: Cause
        let message: String
        var remedy = "set ca_file or KEYOVER_CA_FILE to the PEM file of the authority that vouches for the server"

        init(_ cause: Cause, _ message: String) {
            self.cause = cause
            self.message = message
        }

        init(_ error: any Error) {
            switch error {
            case let error as Found:
                self = error
            case is CancellationError:
                self.init(.timedOut, "the call was cancelled")
            case let error as HTTPClientError:
                self.init(error)
            case let error as NIOConnectionError:
                let isUnknown = error.connectionErrors.isEmpty
                self.init(
                    .cannotConnect,
                    isUnknown ? "the name of the host is not known" : "the host does not accept a connection")
            case ChannelError.connectTimeout:
                self.init(.cannotConnect, "the host does not answer")
            case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode):
                // How a connection to a literal address fails.
                self.init(.cannotConnect, "the host does not accept a connection")
            case let error as HTTPParserError:
                self.init(
                    error == .invalidEOFState ? .connectionLost : .malformed,
                    error == .invalidEOFState ? "the answer was cut short" : "the answer is not valid HTTP")
            case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError, is NIOTLSUnwrappingError:
                self.init(tls: error)
            default:
                self.init(.connectionLost, "the connection was lost before the answer was complete")
            }
        }

        private init(_ error: HTTPClientError) {
            switch error {
            case .cancelled, .requestStreamCancelled:
                self.init(.timedOut, "the call was cancelled")
            case .deadlineExceeded, .readTimeout, .writeTimeout:
                self.init(.timedOut, "no complete answer in time")
            case .connectTimeout, .getConnectionFromPoolTimeout:
                self.init(.cannotConnect, "the host does not answer")
            case .tlsHandshakeTimeout:
                self.init(.cannotConnect, "the host does not complete the TLS handshake")
            case .remoteConnectionClosed, .uncleanShutdown, .bodyLengthMismatch:
                self.init(.connectionLost, "the connection was closed before the answer was complete")
            default:
                self.init(.malformed, "the HTTP exchange broke its rules")
            }
        }

        private init(tls error: any Error) {
            let text = String(describing: error)
            if error as? NIOSSLError == .uncleanShutdown {
                self.init(.connectionLost, "the connection was cut before the answer was complete")
            } else if error is NIOSSLExtraError {
                self.init(.untrusted, "its certificate is for another host")
                remedy = "name the server in the URL of the vault as its certificate does"
            } else if text.contains("CERTIFICATE_VERIFY_FAILED") {
                self.init(.untrusted, "no trusted authority vouches for its certificate, or it has expired")
            } else if text.contains("ALERT") && text.contains("CERTIFICATE") {
                self.init(.untrusted, "it does not accept this host's certificate, or wants one")
                remedy = "set vault_certificate and vault_certificate_key to what the server accepts"
            } else {
                self.init(.untrusted, "the TLS handshake failed")
            }
        }
    }
}
