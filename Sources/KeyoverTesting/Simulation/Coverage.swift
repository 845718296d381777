public import KeyoverCore

/// Which faults struck in which stage of which strategy, counted over any number of seeds.
public struct Coverage: Sendable {
    /// One cell of the table.
    public struct Cell: Hashable, Comparable, Sendable {
        /// The strategy of the rotation in progress.
        public var strategy: StrategyName
        /// Its stage when the fault struck; `nil` while there was no rotation.
        public var stage: Stage?
        /// The fault.
        public var fault: Fault

        /// A cell of the table.
        public init(_ strategy: StrategyName, _ stage: Stage?, _ fault: Fault) {
            self.strategy = strategy
            self.stage = stage
            self.fault = fault
        }

        /// The order of the printed table.
        public static func < (left: Self, right: Self) -> Bool {
            func key(_ cell: Self) -> [String] {
                [cell.strategy.description, cell.fault.rawValue, cell.stage?.rawValue ?? ""]
            }
            return key(left).lexicographicallyPrecedes(key(right))
        }
    }

    /// How often each cell was hit.
    public private(set) var counts: [Cell: Int] = [:]

    /// No hits yet.
    public init() {}

    /// Counts a hit.
    public mutating func hit(_ strategy: StrategyName, _ stage: Stage?, _ fault: Fault) {
        counts[Cell(strategy, stage, fault), default: 0] += 1
    }

    /// Adds the hits of other seeds.
    public mutating func merge(_ other: Coverage) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// Hits of a fault in a stage.
    public func count(_ strategy: StrategyName, _ stage: Stage?, _ fault: Fault) -> Int {
        counts[Cell(strategy, stage, fault)] ?? 0
    }

    /// The table for one strategy: a line for each fault, a column for each stage.
    public func table(for strategy: StrategyName) -> String {
        let stages: [Stage?] = [nil] + Stage.allCases
        func pad(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        var lines = [strategy.description]
        let names = stages.map { $0?.rawValue ?? "idle" }
        lines.append(pad("", 18) + names.map { pad(String($0.prefix(9)), 10) }.joined())
        for fault in Fault.allCases {
            let cells = stages.map { stage in
                let count = count(strategy, stage, fault)
                return pad(count == 0 ? "." : String(count), 10)
            }
            lines.append(
                fault.rawValue + String(repeating: " ", count: max(1, 18 - fault.rawValue.count)) + cells.joined())
        }
        return lines.joined(separator: "\n")
    }
}
