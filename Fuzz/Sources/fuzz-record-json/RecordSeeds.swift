import FuzzSupport
import KeyoverConformance
import KeyoverCore
import KeyoverSealing

/// The inputs to begin with: records with something in every field, and with little.
@Sendable func recordSeeds() throws -> [String: [UInt8]] {
    let codec = RecordCodec.standard
    return [
        "client": input("c", try codec.encode(SampleRecords.client("billing-sync"))),
        "client-in-rotation": input("c", try codec.encode(SampleRecords.clientInRotation("billing-sync"))),
        "tenant": input("t", try codec.encode(SampleRecords.tenant("sandbox-1"))),
        "host": input("h", try codec.encode(SampleRecords.host("host-1"))),
        "host-of-newer-format": input(
            "h",
            String(decoding: try codec.encode(SampleRecords.host("host-1")), as: UTF8.self)
                .replacing(#""format":1"#, with: #""format":2"#)),
        "any": input("j", #"{"a":[1,-1,1.5,true,false,null,"x",{"b":18446744073709551615}],"c":{}}"#),
    ]
}
