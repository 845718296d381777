internal import CKeyoverProcess

/// What a process that is going to hold secrets does before it reads the first one.
public enum ProcessHardening {
    /// Leaves no core dump and no backtrace of this process, and keeps other processes of the user from attaching to it.
    ///
    /// - Returns: Whether the kernel agreed; a process that was refused should not go on to read secrets.
    public static func apply() -> Bool { keyover_harden_process() == 0 }
}
