public import KeyoverCore

/// An input, read from its beginning; at its end it goes on with zeros.
public struct FuzzInput {
    /// What was not read yet.
    public private(set) var rest: ArraySlice<UInt8>

    /// An input.
    public init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// The next byte.
    public mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// The next byte as a letter that chooses what the rest is, so that seeds can be written by hand.
    public mutating func letter() -> Character { Character(Unicode.Scalar(byte())) }

    /// The bytes up to the separator, which is taken as well.
    public mutating func piece(upTo separator: UInt8) -> ArraySlice<UInt8> {
        let piece = rest.prefix { $0 != separator }
        rest = rest.dropFirst(piece.count + 1)
        return piece
    }
}

/// An input that begins with a letter.
public func input(_ letter: Character, _ rest: some Sequence<UInt8>) -> [UInt8] {
    Array(String(letter).utf8) + rest
}

/// An input that begins with a letter.
public func input(_ letter: Character, _ rest: String) -> [UInt8] {
    input(letter, rest.utf8)
}

extension SecretValue {
    /// A value for a fuzz target.
    public init(_ text: String) {
        self.init(copying: text.utf8)
    }

    /// The bytes, for comparing.
    public var plain: [UInt8] { withUnsafeSecretBytes { Array($0) } }
}

/// Expects of an error's text what people and logs rely on: it is short and has no control characters in it.
public func requireFit(_ text: String, limit: Int = 400) {
    require(text.utf8.count <= limit, "an error is longer than \(limit) bytes: \(text.prefix(200))")
    require(
        text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, "an error has control characters")
}
