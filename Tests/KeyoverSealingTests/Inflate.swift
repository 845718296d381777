/// Decompresses zlib streams (RFC 1950, RFC 1951), for the age vectors that are stored so; checksums are not looked at.
struct Inflate {
    struct Failure: Error {}

    private let input: [UInt8]
    private var position: Int
    private var bits: UInt32 = 0
    private var bitCount: UInt32 = 0
    private var output: [UInt8] = []

    static func zlib(_ input: [UInt8]) throws -> [UInt8] {
        var inflate = Inflate(input: input, position: 2)
        while try !inflate.block() {}
        return inflate.output
    }

    private init(input: [UInt8], position: Int) {
        self.input = input
        self.position = position
    }

    /// Reads one block; whether it was the last.
    private mutating func block() throws -> Bool {
        let isLast = try take(1) == 1
        switch try take(2) {
        case 0: try stored()
        case 1:
            let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
            try compressed(Huffman(lengths), Huffman([Int](repeating: 5, count: 30)))
        case 2:
            let (literals, distances) = try tables()
            try compressed(literals, distances)
        default: throw Failure()
        }
        return isLast
    }

    private mutating func stored() throws {
        (bits, bitCount) = (0, 0)
        guard position + 4 <= input.count else { throw Failure() }
        let count = Int(input[position]) | Int(input[position + 1]) << 8
        position += 4
        guard position + count <= input.count else { throw Failure() }
        output += input[position..<position + count]
        position += count
    }

    private mutating func tables() throws -> (Huffman, Huffman) {
        let (literalCount, distanceCount, codeCount) = (try take(5) + 257, try take(5) + 1, try take(4) + 4)
        var codeLengths = [Int](repeating: 0, count: 19)
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        for index in 0..<codeCount { codeLengths[order[index]] = try take(3) }
        let codes = Huffman(codeLengths)
        var lengths: [Int] = []
        while lengths.count < literalCount + distanceCount {
            switch try symbol(codes) {
            case 16:
                guard let last = lengths.last else { throw Failure() }
                lengths += [Int](repeating: last, count: try take(2) + 3)
            case 17: lengths += [Int](repeating: 0, count: try take(3) + 3)
            case 18: lengths += [Int](repeating: 0, count: try take(7) + 11)
            case let length: lengths.append(length)
            }
        }
        return (Huffman(Array(lengths[..<literalCount])), Huffman(Array(lengths[literalCount...])))
    }

    private mutating func compressed(_ literals: Huffman, _ distances: Huffman) throws {
        while true {
            let symbol = try symbol(literals)
            if symbol < 256 {
                output.append(UInt8(symbol))
            } else if symbol == 256 {
                return
            } else {
                let length = try Self.lengths[symbol - 257] + take(Self.extra(symbol - 257, Self.lengths))
                let code = try self.symbol(distances)
                let distance = try Self.distances[code] + take(Self.extra(code, Self.distances))
                guard distance <= output.count else { throw Failure() }
                for _ in 0..<length { output.append(output[output.count - distance]) }
            }
        }
    }

    private static let lengths = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let distances = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12_289, 16_385, 24_577,
    ]

    private static func extra(_ code: Int, _ table: [Int]) -> Int {
        if table.count == 29 { return code < 8 || code == 28 ? 0 : code / 4 - 1 }
        return code < 4 ? 0 : code / 2 - 1
    }

    private mutating func take(_ count: Int) throws -> Int {
        while bitCount < count {
            guard position < input.count else { throw Failure() }
            bits |= UInt32(input[position]) << bitCount
            position += 1
            bitCount += 8
        }
        let value = bits & (1 << UInt32(count) - 1)
        bits >>= UInt32(count)
        bitCount -= UInt32(count)
        return Int(value)
    }

    private mutating func symbol(_ table: Huffman) throws -> Int {
        var (code, first, index) = (0, 0, 0)
        for length in 1...15 {
            code |= try take(1)
            let count = table.counts[length]
            if code - first < count { return table.symbols[index + code - first] }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        throw Failure()
    }

    private struct Huffman {
        var counts = [Int](repeating: 0, count: 16)
        let symbols: [Int]

        init(_ lengths: [Int]) {
            for length in lengths where length > 0 { counts[length] += 1 }
            symbols = (1...15).flatMap { length in lengths.indices.filter { lengths[$0] == length } }
        }
    }
}
