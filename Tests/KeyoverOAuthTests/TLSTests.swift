import Foundation
import KeyoverCore
import NIOSSL
import Testing

@testable import KeyoverOAuth

/// TLS servers that are to be trusted, and those that are not.
@Suite struct TLSTests {
    private static let grant = #"{"access_token":"t-1","token_type":"Bearer","scope":"a b"}"#

    private func exchange(
        _ server: RawServer, host: String = "127.0.0.1", caFile: String?,
        limits: HTTPLimits = .exchange
    ) async throws -> TokenGrant {
        let exchanger = TokenExchanger(http: try BoundedHTTP(caFile: caFile), limits: limits)
        let request = ExchangeRequest(
            tokenURL: "https://\(host):\(server.port)/token", clientID: "billing", secret: canary,
            authentication: .basic, scopes: [])
        return try await exchanger.exchange(request)
    }

    private func expectUntrusted(
        _ names: String, days: Int = 2, signedByAuthority: Bool = true, trusting: Bool = true,
        minimum: TLSVersion = .tlsv12, maximum: TLSVersion = .tlsv13
    ) async throws {
        let folder = try CertificateFolder()
        defer { folder.remove() }
        let tls = try folder.server(
            names: names, days: days, signedByAuthority: signedByAuthority, minimum: minimum, maximum: maximum)
        try await RawServer.run(tls: tls) {
            try await $0.answer(Self.grant)
        } _: { server in
            let error = await #expect(throws: ExchangeError.self) {
                _ = try await exchange(server, caFile: trusting ? folder.authority : nil)
            }
            #expect(error?.failure == .unknown, "\(String(describing: error))")
            #expect(error?.remedy?.contains("KEYOVER_CA_FILE") == true)
            #expect((error?.underlying as? HTTPFailure)?.mayHaveArrived == false)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func aServerSignedByTheNamedAuthorityIsTrusted() async throws {
        let folder = try CertificateFolder()
        defer { folder.remove() }
        let tls = try folder.server(names: "IP:127.0.0.1,DNS:localhost")
        try await RawServer.run(tls: tls) {
            try await $0.answer(Self.grant)
        } _: { server in
            for host in ["127.0.0.1", "localhost"] {
                let grant = try await exchange(server, host: host, caFile: folder.authority)
                #expect(grant.scopes == ["a", "b"])
            }
            #expect(server.requests.count == 2)
        }
    }

    @Test func aServerSignedByAnUnknownAuthorityIsRefused() async throws {
        try await expectUntrusted("IP:127.0.0.1", trusting: false)
    }

    @Test func aSelfSignedServerIsRefused() async throws {
        try await expectUntrusted("IP:127.0.0.1", signedByAuthority: false)
    }

    @Test func aCertificateForAnotherHostIsRefused() async throws {
        try await expectUntrusted("DNS:other.example,IP:127.0.0.2")
    }

    @Test func anExpiredCertificateIsRefused() async throws {
        try await expectUntrusted("IP:127.0.0.1", days: -1)
    }

    @Test func anOldVersionOfTLSIsRefused() async throws {
        try await expectUntrusted("IP:127.0.0.1", minimum: .tlsv1, maximum: .tlsv11)
    }

    @Test func aServerWithoutTLSIsRefusedAndGetsNoRequest() async throws {
        try await RawServer.run {
            try await $0.answer(Self.grant)
        } _: { server in
            let limits = HTTPLimits(bodyBytes: 1024, jsonDepth: 16, total: .milliseconds(500))
            let error = await #expect(throws: ExchangeError.self) {
                _ = try await exchange(server, caFile: nil, limits: limits)
            }
            #expect((error?.underlying as? HTTPFailure)?.mayHaveArrived == false)
            #expect(!server.requests.contains { String(decoding: $0, as: UTF8.self).contains("POST") })
        }
    }

    @Test(arguments: ["/nonexistent/ca.pem", "/dev/null", "/etc/passwd"])
    func aFileWithoutCertificatesIsAnErrorBeforeAnythingIsSent(path: String) {
        #expect(throws: ConfigurationError.self) { try BoundedHTTP(caFile: path) }
    }
}

/// Certificates made with openssl for one test, in a folder of their own.
struct CertificateFolder {
    private let path: String

    /// The PEM file of the authority.
    var authority: String { path + "/ca.pem" }

    init() throws {
        path = NSTemporaryDirectory() + "keyover-tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try openssl(["req", "-x509"] + Self.newKey + ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"])
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A server's context with a fresh certificate for the names.
    func server(
        names: String, days: Int = 2, signedByAuthority: Bool = true,
        minimum: TLSVersion = .tlsv12, maximum: TLSVersion = .tlsv13
    ) throws -> NIOSSLContext {
        try Data("subjectAltName=\(names)\n".utf8).write(to: URL(fileURLWithPath: path + "/names"))
        try openssl(["req"] + Self.newKey + ["-keyout", "s.key", "-out", "s.csr", "-subj", "/CN=server"])
        let signer =
            signedByAuthority ? ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"] : ["-signkey", "s.key"]
        try openssl(
            ["x509", "-req", "-in", "s.csr", "-out", "s.pem", "-extfile", "names", "-days", "\(days)"] + signer)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(path + "/s.pem").map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: path + "/s.key", format: .pem)))
        configuration.minimumTLSVersion = minimum
        configuration.maximumTLSVersion = maximum
        return try NIOSSLContext(configuration: configuration)
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments[0]) failed; is it installed?")
    }
}
