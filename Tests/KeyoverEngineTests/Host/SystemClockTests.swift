import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

@Suite struct SystemClockTests {
    @Test func bootClockNeverRunsBackward() {
        let clock = SystemClock()
        var last = clock.now()
        for _ in 0..<10_000 {
            let next = clock.now()
            #expect(next.sinceBoot >= last.sinceBoot)
            #expect(next.bootID == last.bootID)
            last = next
        }
    }

    @Test func bootIDIsTheKernels() throws {
        let text = try #require(BoundedFile.read("/proc/sys/kernel/random/boot_id", limit: 64))
        #expect(SystemClock().now().bootID == String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace })
    }

    @Test func sleepLastsAtLeastItsSpan() async throws {
        let clock = SystemClock()
        let before = clock.now()
        try await clock.sleep(for: .milliseconds(30))
        #expect(clock.now().elapsedAtLeast(since: before) >= .milliseconds(30))
    }

    @Test func sleepOfNothingReturnsAtOnce() async throws {
        try await SystemClock().sleep(for: .zero)
        try await SystemClock().sleep(for: .seconds(-5))
    }

    @Test func cancelledSleepThrows() async {
        let sleeper = Task { try await SystemClock().sleep(for: .hours(1)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }
}

@Suite struct CurrentActorTests {
    @Test(arguments: [
        ("0::/system.slice/keyover.service\n", "keyover.service"),
        ("0::/user.slice/user-0.slice/user@0.service/app.slice/nightly.service\n", "nightly.service"),
        ("12:cpu:/\n1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service"),
        ("0::/system.slice/outer.service/inner.service/leaf\n", "inner.service"),
    ]) func unitIsTheInnermostService(cgroup: String, unit: String) {
        #expect(CurrentActor.unit(inCgroup: cgroup) == unit)
    }

    @Test(arguments: [
        "", "0::/\n", "0::/user.slice/session-1.scope\n", "5:devices:/system.slice/fake.service\n",
        "0::/system.slice/a\u{1B}[2J.service\n", "0::/" + String(repeating: "x", count: 300) + ".service\n",
    ]) func noUnitIsMadeUp(cgroup: String) {
        #expect(CurrentActor.unit(inCgroup: cgroup) == nil)
    }

    @Test func sudoUserMustLookLikeOne() {
        #expect(CurrentActor.sudoUser("ada") == "ada")
        #expect(CurrentActor.sudoUser("svc_build-2$") == "svc_build-2$")
        for text in ["", "a b", "a\nb", "\u{1B}[31mroot", "a/b", String(repeating: "a", count: 65), "ädä"] {
            #expect(CurrentActor.sudoUser(text) == nil)
        }
    }

    @Test func hostNameIsAlwaysAName() {
        #expect(CurrentActor.hostName("web-1.example.org").description == "web-1.example.org")
        #expect(CurrentActor.hostName("").description == "localhost")
        #expect(CurrentActor.hostName("-_-").description == "localhost")
        #expect(CurrentActor.hostName("../../etc/passwd").description == "etc-passwd")
        #expect(CurrentActor.hostName("a..b c").description == "a.-b-c")
        #expect(CurrentActor.hostName(String(repeating: "h", count: 300)).description.utf8.count == 128)
    }

    @Test func actorOfThisProcess() {
        let actor = CurrentActor.read(host: CurrentActor.hostName())
        #expect(actor.uid == getuid())
        #expect(actor.host == CurrentActor.hostName().description)
    }
}
