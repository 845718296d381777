internal import CKeyoverProcess
import Glibc

/// What a process that is going to hold secrets does before it reads the first one.
public enum ProcessHardening {
    /// Leaves no core dump of this process and keeps other processes of the user from attaching to it.
    ///
    /// - Returns: Whether the kernel agreed to both; a process that was refused should not go on to read secrets.
    public static func apply() -> Bool {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        let isWithoutCore = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
        return keyover_make_undumpable() == 0 && isWithoutCore
    }
}
