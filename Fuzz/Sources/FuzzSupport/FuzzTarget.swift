import Glibc

/// One fuzz target: what it does with an input, and the inputs to begin with.
///
/// libFuzzer calls two functions by their C names; each target hands them on to ``prepare()`` and ``run(_:_:)``.
public struct FuzzTarget: Sendable {
    /// What the code under test said to an input.
    public enum Outcome: Sendable {
        case accepted
        case refused
    }

    private let seeds: @Sendable () throws -> [String: [UInt8]]
    private let body: @Sendable ([UInt8]) -> Outcome

    /// A target; every seed has to be accepted.
    public init(
        seeds: @escaping @Sendable () throws -> [String: [UInt8]], _ body: @escaping @Sendable ([UInt8]) -> Outcome
    ) {
        self.seeds = seeds
        self.body = body
    }

    /// Proves that the target reaches what it is to test: a target that refuses its own seeds would find nothing for ever.
    ///
    /// Where `KEYOVER_FUZZ_SEEDS` names a folder, the seeds are written to it, and the process ends.
    public func prepare() -> CInt {
        let seeds = must("make the seeds", self.seeds)
        for (name, bytes) in seeds {
            require(body(bytes) == .accepted, "the seed \(name) is refused")
        }
        if let folder = getenv("KEYOVER_FUZZ_SEEDS") {
            for (name, bytes) in seeds { save(bytes, to: "\(String(cString: folder))/\(name)") }
            exit(0)
        }
        return 0
    }

    /// One input.
    public func run(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        _ = body(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }

    private func save(_ bytes: [UInt8], to path: String) {
        let file = fopen(path, "w")
        require(fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0, "\(path) cannot be written")
    }
}

/// Ends the process when a property does not hold, so that libFuzzer keeps the input.
public func require(_ condition: Bool, _ property: @autoclosure () -> String) {
    if !condition { stop(property()) }
}

/// The result of what cannot fail.
public func must<Result, Failure: Error>(_ what: String, _ body: () throws(Failure) -> Result) -> Result {
    do {
        return try body()
    } catch {
        stop("could not \(what): \(error)")
    }
}

/// The value that has to be there.
public func must<Value>(_ what: String, _ value: Value?) -> Value {
    guard let value else { stop("no \(what)") }
    return value
}

private func stop(_ property: String) -> Never {
    let text = Array("\nproperty violated: \(property)\n".utf8)
    _ = write(STDERR_FILENO, text, text.count)
    abort()
}
