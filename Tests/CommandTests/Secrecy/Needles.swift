import FoundationEssentials
import Glibc

/// Secrets to look for in places where none may be, in every form in which they travel.
struct Needles: Sendable {
    private var forms: [(name: String, bytes: [UInt8])] = []

    /// A random word that nothing else contains.
    static func canary(_ name: String) -> String {
        "canary-\(name)-" + (0..<8).map { _ in String(UInt16.random(in: 0x1000...0xFFFF), radix: 16) }.joined()
    }

    /// Looks for a secret as it is, form-encoded, in hexadecimal, and in base64 at each of the three offsets, which finds
    /// HTTP Basic whatever the client is called.
    mutating func add(_ name: String, _ secret: String) {
        let bytes = Array(secret.utf8)
        forms.append((name, bytes))
        forms.append(("\(name), form-encoded", Array(Consumer.formEncoded(secret).utf8)))
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        forms.append(("\(name), in hexadecimal", Array(digits.utf8)))
        for offset in 0..<3 {
            let shifted = Array(bytes.dropFirst(offset))
            let whole = shifted.prefix(shifted.count / 3 * 3)
            forms.append(("\(name), in base64", Array(Data(whole).base64EncodedString().utf8)))
        }
    }

    /// The names of those that are there.
    func found(in data: some Sequence<UInt8>) -> [String] {
        let haystack = Array(data)
        return haystack.withUnsafeBytes { hay in
            forms.filter { form in form.bytes.withUnsafeBytes { Self.contains(hay, $0) } }.map(\.name)
        }
    }

    func found(in text: String) -> [String] { found(in: text.utf8) }

    private static func contains(_ haystack: UnsafeRawBufferPointer, _ needle: UnsafeRawBufferPointer) -> Bool {
        guard let first = needle.first, let base = haystack.baseAddress, let wanted = needle.baseAddress else {
            return false
        }
        var offset = 0
        while haystack.count - offset >= needle.count,
            let hit = memchr(base + offset, Int32(first), haystack.count - offset - needle.count + 1)
        {
            if memcmp(hit, wanted, needle.count) == 0 { return true }
            offset = UnsafeRawPointer(hit) - base + 1
        }
        return false
    }
}
