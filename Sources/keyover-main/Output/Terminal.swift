import Glibc
import Synchronization

/// Where a command's words go: results to standard output, everything else to standard error.
///
/// All writes go through one lock, so that a live line is taken off the screen before something else is written.
final class Terminal: Sendable {
    /// Who reads one of the two streams.
    struct Stream: Sendable {
        let descriptor: Int32
        let isTerminal: Bool
        let hasColor: Bool

        init(_ descriptor: Int32, noColor: Bool) {
            self.descriptor = descriptor
            isTerminal = isatty(descriptor) == 1
            let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
            // https://no-color.org: present and not empty.
            let isRefused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
            hasColor = isTerminal && !isDumb && !isRefused && !noColor
        }
    }

    let output: Stream
    let errors: Stream
    let isQuiet: Bool
    let isVerbose: Bool
    private let liveLine = Mutex(false)

    init(quiet: Bool = false, verbose: Bool = false, noColor: Bool = false) {
        output = Stream(STDOUT_FILENO, noColor: noColor)
        errors = Stream(STDERR_FILENO, noColor: noColor)
        isQuiet = quiet
        isVerbose = verbose
    }

    /// The columns of the terminal behind standard output; `nil` when there is none.
    var width: Int? { Self.width(of: output) }

    /// A line of results.
    func print(_ line: String) { write(line + "\n", to: output) }

    /// A line about what is going on.
    func note(_ line: String) {
        guard !isQuiet else { return }
        write(line + "\n", to: errors)
    }

    /// A line for those who want to know more.
    func detail(_ line: @autoclosure () -> String) {
        guard isVerbose else { return }
        write(line() + "\n", to: errors)
    }

    /// A line that is written in any case: errors, hints, instructions.
    func insist(_ line: String) { write(line + "\n", to: errors) }

    /// Text without a line end, such as a question.
    func ask(_ question: String) { write(question, to: errors) }

    /// Bytes as they are, such as a secret that was asked for.
    func emit(_ bytes: UnsafeRawBufferPointer) { write(bytes, to: output) }

    /// Puts a line on the screen in place of the one before it, cut to the width.
    func showLive(_ line: String) {
        let columns = max(20, Self.width(of: errors) ?? 80) - 1
        liveLine.withLock { isShown in
            Self.writeAll(Array("\r\u{1B}[2K\(Styled.cut(line, to: columns))".utf8), to: errors.descriptor)
            isShown = true
        }
    }

    /// Takes the live line off the screen.
    func clearLive() {
        liveLine.withLock { clear(&$0) }
    }

    private func clear(_ isShown: inout Bool) {
        guard isShown else { return }
        Self.writeAll(Array("\r\u{1B}[2K".utf8), to: errors.descriptor)
        isShown = false
    }

    private func write(_ text: String, to stream: Stream) {
        liveLine.withLock { isShown in
            clear(&isShown)
            Self.writeAll(Array(text.utf8), to: stream.descriptor)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to stream: Stream) {
        liveLine.withLock { isShown in
            clear(&isShown)
            Self.writeAll(bytes, to: stream.descriptor)
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
    }

    /// Writes all of it; a reader that has gone away ends the process, as it would any other program.
    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, 1000)
            } else if errno != EINTR {
                // Results that cannot be delivered are a failure; lost notes are not.
                if descriptor == STDOUT_FILENO { exit(1) }
                return
            }
        }
    }

    private static func width(of stream: Stream) -> Int? {
        guard stream.isTerminal else { return nil }
        var size = winsize()
        guard ioctl(stream.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
