import FoundationEssentials
import FuzzSupport
import KeyoverCore
import KeyoverSealing

// The metadata of records as JSON, as it comes out of a seal that an older, newer or broken Keyover made. The letter that
// an input begins with says what the rest is: c a client, t a tenant, h a host, j any JSON.
private let target = FuzzTarget(seeds: recordSeeds) { bytes in
    var input = FuzzInput(bytes)
    switch input.letter() {
    case "c": return read(Data(input.rest), as: ClientRecord.self)
    case "t": return read(Data(input.rest), as: TenantRecord.self)
    case "h": return read(Data(input.rest), as: HostRecord.self)
    case "j": return readAnything(Data(input.rest))
    default: return .refused
    }
}

/// What is read can be written, and says the same when it is read again.
private func read<Record: VaultRecord & Equatable>(_ json: Data, as type: Record.Type) -> FuzzTarget.Outcome {
    let codec = RecordCodec.standard
    let record: Record
    do throws(VaultError) {
        record = try codec.decode(json, as: type)
    } catch {
        requireFit(error.message)
        require(error.code == .corrupt || error.code == .newerFormat, "refused with \(error.code)")
        return .refused
    }
    require(record.secrets.isEmpty, "a value was read from metadata")
    let written = must("write what was read") { () throws(VaultError) in try codec.encode(record) }
    let again = must("read what was written") { () throws(VaultError) in try codec.decode(written, as: type) }
    require(again == record, "a record changes when it is written")
    let twice = must("write again") { () throws(VaultError) in try codec.encode(again) }
    require(twice == written, "a record has two spellings")
    must("replace what was written") { () throws(VaultError) in try codec.checkMayReplace(written, type) }
    do throws(VaultError) {
        try codec.checkMayReplace(json, type)
    } catch {
        require(error.code == .newerFormat, "what can be read may not be replaced: \(error.code)")
    }
    show(record)
    return .accepted
}

/// Words every span and moment of a record, as the tables of the program do.
private func show(_ value: Any) {
    switch value {
    case let span as TimeSpan: requireFit("\(span) \(span.rounded)")
    case let moment as Timestamp: requireFit("\(moment) \(moment.day)")
    case is SecretValue: require(false, "a value was read from metadata")
    default: for child in Mirror(reflecting: value).children { show(child.value) }
    }
}

private func readAnything(_ json: Data) -> FuzzTarget.Outcome {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: json) else { return .refused }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let written = must("write JSON") { try encoder.encode(value) }
    let again = must("read JSON") { try JSONDecoder().decode(JSONValue.self, from: written) }
    require(must("write JSON") { try encoder.encode(again) } == written, "JSON changes when it is written")
    return .accepted
}

/// Called by libFuzzer once.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    target.prepare()
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(start, count)
}
