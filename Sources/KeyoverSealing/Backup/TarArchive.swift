import KeyoverCore

/// A plain file in a tar archive.
struct TarMember: Equatable {
    /// The path, with slashes, relative.
    let name: String
    /// How many bytes it has.
    let count: Int
}

/// The 512 bytes before each member of a tar archive (POSIX.1-2017, pax, section "ustar Interchange Format").
///
/// Only what a backup needs: plain files of mode 0600 that belong to nobody in particular, so that the same content is
/// always the same bytes. What is read must look exactly like what is written.
enum TarHeader {
    static let blockCount = 512
    private static let largest = 1 << 33

    /// The header of a member; `nil` when its name or size does not fit.
    static func encode(_ member: TarMember) -> [UInt8]? {
        let name = Array(member.name.utf8)
        // Where a name is too long for the first field, a slash divides it.
        let cut = name.count <= 100 ? nil : name.indices.first { name[$0] == 47 && name.count - $0 - 1 <= 100 }
        guard !name.isEmpty, name.count <= 100 || cut.map({ (1...155).contains($0) }) == true,
            (0..<largest).contains(member.count)
        else { return nil }
        var block = [UInt8](repeating: 0, count: blockCount)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(cut.map { name[($0 + 1)...] } ?? name[...], at: 0)
        put(octal(0o600, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(member.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put(Array("        0".utf8), at: 148)
        put(Array("ustar\u{0}00".utf8), at: 257)
        if let cut { put(name[..<cut], at: 345) }
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + [0, 32], at: 148)
        return block
    }

    /// The member that a header announces; `nil` for anything that ``encode(_:)`` does not write.
    static func decode(_ block: [UInt8]) -> TarMember? {
        guard block.count == blockCount else { return nil }
        func text(_ offset: Int, _ limit: Int) -> String {
            String(decoding: block[offset..<offset + limit].prefix { $0 != 0 }, as: UTF8.self)
        }
        let (prefix, rest) = (text(345, 155), text(0, 100))
        guard let count = Int(text(124, 11), radix: 8) else { return nil }
        let member = TarMember(name: prefix.isEmpty ? rest : prefix + "/" + rest, count: count)
        return encode(member) == block ? member : nil
    }

    /// How many zeros follow so many bytes of content.
    static func padding(_ count: Int) -> Int { (blockCount - count % blockCount) % blockCount }

    private static func octal(_ value: Int, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8)
    }
}
