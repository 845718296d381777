import Glibc

/// Becomes `keyover-main`, found beside this very executable and never through PATH.
enum HandOver {
    private static let program = "keyover-main"

    /// Does not return when it works; otherwise answers the exit code.
    static func toMain() -> Int32 {
        guard let executable = ownPath(), let slash = executable.lastIndex(of: "/") else {
            return Report.failure("cannot find out where keyover is installed", hint: "mount /proc")
        }
        let path = executable[...slash] + program
        // Arguments go on byte for byte, with the name that the program was called by.
        execv(String(path), CommandLine.unsafeArgv)
        return Report.failure(
            "cannot start \(path): \(String(cString: strerror(errno)))",
            hint: "install keyover and \(program) into the same folder")
    }

    private static func ownPath() -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
