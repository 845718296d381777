import KeyoverCore

/// Reads an audit log line by line with a fixed amount of memory.
struct AuditLineReader: ~Copyable {
    private static let chunk: Int64 = 256 << 10

    private let file: AuditFile
    private var buffer: [UInt8] = []
    private var cursor = 0
    /// Where the next line begins in the file.
    private(set) var offset: Int64

    /// What is found at the current place.
    enum Item {
        /// A line without its newline.
        case line(ArraySlice<UInt8>)
        /// More than a line may hold, without a newline in it.
        case tooLong
        /// The end of the file, with so many bytes of an unfinished line before it.
        case end(unfinished: Int)
    }

    init(_ file: consuming AuditFile, from offset: Int64 = 0) {
        self.file = file
        self.offset = offset
    }

    var fileIdentity: FileIdentity { file.identity }
    var fileSize: Int64 { file.size }

    /// The next line; at the end it may be asked again, since the file may have grown.
    mutating func next() throws(AuditError) -> Item {
        while true {
            if let newline = buffer[cursor...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[cursor..<newline]
                guard line.count <= AuditLine.limit else { return .tooLong }
                cursor = newline + 1
                offset += Int64(line.count) + 1
                return .line(line)
            }
            let waiting = buffer.count - cursor
            guard waiting <= AuditLine.limit else { return .tooLong }
            let start = offset + Int64(waiting)
            let more = try file.read(start..<start + Self.chunk)
            guard !more.isEmpty else { return .end(unfinished: waiting) }
            buffer.removeFirst(cursor)
            cursor = 0
            buffer += more
        }
    }
}
