import FoundationEssentials
import Glibc

/// What `libCFaultInjection.so` is told: which call on files below a folder goes wrong, and how.
struct FaultPlan: Sendable {
    /// What becomes of the call.
    enum Kind: String, CaseIterable, CustomStringConvertible, Sendable {
        /// The process is killed before the call.
        case kill
        /// The process is killed after half of what was to be written.
        case torn
        /// This call fails, all others succeed.
        case noSpaceOnce, inputOutputOnce
        /// This call and all that follow fail; the first is cut short when it writes and the disk is full.
        case noSpaceFromHereOn, inputOutputFromHereOn

        var description: String { rawValue }
        var isKilling: Bool { self == .kill || self == .torn }

        fileprivate var variables: [String: String] {
            switch self {
            case .kill, .torn: ["FAULT_KIND": rawValue]
            case .noSpaceOnce: ["FAULT_KIND": "\(ENOSPC)", "FAULT_SPAN": "once"]
            case .inputOutputOnce: ["FAULT_KIND": "\(EIO)", "FAULT_SPAN": "once"]
            case .noSpaceFromHereOn: ["FAULT_KIND": "\(ENOSPC)", "FAULT_SPAN": "on"]
            case .inputOutputFromHereOn: ["FAULT_KIND": "\(EIO)", "FAULT_SPAN": "on"]
            }
        }
    }

    /// A counted call.
    struct Call: Sendable {
        let name: String
        let path: String

        /// Whether half of it can be done.
        var writes: Bool { name.hasSuffix("write") || name.hasSuffix("writev") }
    }

    /// The variables for a program that works below the folder and fails at its call of the number, from 1.
    static func environment(below folder: String, _ kind: Kind, at number: Int) throws -> [String: String] {
        try base(folder).merging(kind.variables) { $1 }.merging(["FAULT_AT": "\(number)"]) { $1 }
    }

    /// The variables for a program whose calls are only written down.
    static func counting(below folder: String, into file: String) throws -> [String: String] {
        try base(folder).merging(["FAULT_TRACE": file]) { $1 }
    }

    /// The calls that were written down.
    static func calls(in file: String) throws -> [Call] {
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3 else { throw TestFailure("no call: \(line)") }
            return Call(name: words[1], path: words[2])
        }
    }

    private static func base(_ folder: String) throws -> [String: String] {
        ["LD_PRELOAD": try KeyoverHome.built("libCFaultInjection.so"), "FAULT_BELOW": folder]
    }
}
