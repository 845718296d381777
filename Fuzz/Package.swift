// swift-tools-version:6.2
import PackageDescription

/// As in the package above, plus: a fuzz target has no main of its own, libFuzzer brings one.
let house: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let readers = Target.Dependency.product(name: "KeyoverReaders", package: "keyover")

/// One fuzz target; the folder of its seeds in `Corpus` is its name without the prefix.
func fuzz(_ name: String) -> Target {
    .executableTarget(
        name: "fuzz-" + name, dependencies: ["FuzzSupport", crypto, readers],
        swiftSettings: house + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "keyover-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "keyover", path: ".."),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    ],
    targets: [
        .target(name: "FuzzSupport", dependencies: [readers], swiftSettings: house),
        fuzz("age"),
        fuzz("audit-log"),
        fuzz("record-json"),
        fuzz("sealed-record"),
        fuzz("token-response"),
    ],
    swiftLanguageModes: [.v6]
)
