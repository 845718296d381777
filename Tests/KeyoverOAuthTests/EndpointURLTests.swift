import KeyoverCore
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import KeyoverOAuth

/// Which URLs may be sent a secret.
@Suite struct EndpointURLTests {
    @Test(arguments: [
        ("https://login.example", "https://login.example/"),
        ("HTTPS://Login.Example:443/oauth/token?a=b", "https://login.example/oauth/token?a=b"),
        ("https://login.example:8443/t", "https://login.example:8443/t"),
        ("https://127.0.0.1/t", "https://127.0.0.1/t"),
        ("https://[2001:DB8::1]:8443/t", "https://[2001:db8::1]:8443/t"),
        ("https://login.example?tenant=1", "https://login.example/?tenant=1"),
        ("https://localhost/t", "https://localhost/t"),
        ("https://a_b.example/%7Euser/", "https://a_b.example/%7Euser/"),
    ])
    func aGoodURLHasOneForm(text: String, normal: String) throws {
        #expect(try EndpointURL(text).description == normal)
        #expect(try EndpointURL(normal) == EndpointURL(text))
    }

    @Test(arguments: [
        "", "login.example", "//login.example/", "https:/login.example", "https://", "https:///t",
        "ftp://login.example/",
        "file:///etc/passwd", "javascript://x/%0a", "http://login.example/t", "http://localhost/t",
        "http://127.0.0.1.example/t", "http://[::2]/t", "https://user@login.example/", "https://user:pw@login.example/",
        "https://login.example@evil.example/", "https://login.example\\@evil.example/", "https://login.example/#f",
        "https://login.example/a b", "https://login.example/a\r\nHost: evil", "https://login.example/\u{0}",
        "https://bücher.example/", "https://login.example:0/", "https://login.example:65536/",
        "https://login.example:/",
        "https://login.example:+443/", "https://login.example:443x/", "https://login..example/",
        "https://login.example./",
        "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
        "https://[::ffff:169.254.1.1]/",
        "https://[64:ff9b::a9fe:a9fe]/", "https://[fd00:ec2::254]/", "https://100.100.100.200/", "https://0.0.0.0/",
        "https://[::]/", "https://224.0.0.1/", "https://[ff02::1]/", "https://2130706433/", "https://0x7f.1/",
        "https://127.1/", "https://0177.0.0.1/", "https://1.2.3.4.5/", "https://256.1.1.1/",
        "https://login.example/<x>", "https://login.example/%zz", "https://login.example/%4", "https://login.example/[",
        "https://[::1", "https://::1/", "https://[127.0.0.1]/", "https://login%2eexample/", "https://-/\u{7F}",
    ])
    func aBadURLIsRefused(text: String) {
        #expect(throws: ConfigurationError.self) {
            try EndpointURL(text, allowsLoopbackHTTP: text.contains("localhost"))
        }
    }

    @Test(arguments: ["http://127.0.0.1:8089/t", "http://127.255.0.9/t", "http://[::1]:8089/t"])
    func plainHTTPIsForALiteralLoopbackAddressAndOnlyOnRequest(text: String) throws {
        #expect(try EndpointURL(text, allowsLoopbackHTTP: true).scheme == .http)
        #expect(throws: ConfigurationError.self) { try EndpointURL(text) }
    }

    @Test(arguments: [
        "http://10.0.0.1/t", "http://localhost:80/t", "http://[::ffff:10.0.0.1]/", "http://login.example/",
    ])
    func plainHTTPToAnythingElseIsRefusedEvenOnRequest(text: String) {
        #expect(throws: ConfigurationError.self) { try EndpointURL(text, allowsLoopbackHTTP: true) }
    }

    @Test func anErrorRepeatsNoPassword() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try EndpointURL("https://u:hunter2hunter2@login.example/")
        }
        expectHidden(SecretValue("hunter2hunter2"), in: try #require(error))
    }

    @Test func noSegmentLeadsOutOfItsPlace() throws {
        let base = try EndpointURL("https://login.example/base/?x=y")
        #expect(
            base.appending("a/b", "..", ".", "c d?#%", "ü").description
                == "https://login.example/base/a%2Fb/%2E%2E/%2E/c%20d%3F%23%25/%C3%BC")
    }

    @Test(arguments: [
        "169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "100.100.100.200", "0.0.0.0", "224.0.0.1",
    ])
    func aNameThatLeadsToAForbiddenAddressGetsNoRequest(address: String) async throws {
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: address, port: 443))
        let progress = CallProgress()
        let asked = Mutex(false)
        let admission = try await channel.testingEventLoop.executeInContext {
            progress.admit(channel) { asked.withLock { $0 = true } }
        }
        await #expect(throws: TransportError.self) { try await admission.get() }
        let failure = progress.failure(from: TransportError(.forbiddenAddress, "x"))
        #expect(!failure.mayHaveArrived)
        #expect(!asked.withLock { $0 })
        await channel.testingEventLoop.run()
        #expect(!channel.isActive)
    }
}
