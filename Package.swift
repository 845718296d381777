// swift-tools-version:6.2
import PackageDescription

/// Every target is compiled alike: Swift 6 language mode, warnings are errors, imports and existentials are explicit.
let house: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Outside packages, named once.
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A library target of the house; its folder and its name are the same word.
func house(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

/// The tests of one target, plus what else they need.
func tests(of name: String, _ dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: data,
        swiftSettings: house)
}

let package = Package(
    name: "keyover",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "keyover", targets: ["keyover"]),
        .executable(name: "keyover-main", targets: ["keyover-main"]),
        // What reads bytes that somebody else may have written, and samples of it, for the package in Fuzz.
        .library(
            name: "KeyoverReaders",
            targets: [
                "KeyoverCore", "KeyoverSealing", "KeyoverOAuth", "KeyoverEngine", "KeyoverConformance",
            ]),
        // Preloaded into the programs by tests of crashes; nothing links it.
        .library(name: "CFaultInjection", type: .dynamic, targets: ["CFaultInjection"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        house("KeyoverCore"),
        house("KeyoverSealing", ["KeyoverCore", crypto, cryptoExtras]),
        .target(name: "CKeyoverProcess"),
        .target(name: "CKeyoverSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .systemLibrary(name: "CSecretService", pkgConfig: "libsecret-1", providers: [.apt(["libsecret-1-dev"])]),
        house(
            "KeyoverVaults",
            [
                "CKeyoverProcess", "CKeyoverSQLite", "CSecretService", "KeyoverCore", "KeyoverSealing", asyncHTTPClient,
                grdb, nioCore, nioHTTP1, nioPosix, nioSSL, sqlite,
            ]),
        house("KeyoverOAuth", ["KeyoverCore", asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL]),
        house("KeyoverProviders", ["KeyoverCore", "KeyoverOAuth"]),
        house("KeyoverEngine", ["CKeyoverProcess", "KeyoverCore", crypto]),
        house("KeyoverCompliance", ["KeyoverCore", yams]),
        house(
            "KeyoverSandbox",
            [httpTypes, hummingbird, hummingbirdCore, lifecycle, logging, nioCore, nioHTTPTypes, nioPosix]),
        house("KeyoverConformance", ["KeyoverCore"]),
        house("KeyoverTesting", ["KeyoverCore", "KeyoverEngine", "KeyoverConformance"]),
        .executableTarget(
            name: "keyover-main",
            dependencies: [
                "KeyoverCore", "KeyoverSealing", "KeyoverVaults", "KeyoverOAuth", "KeyoverProviders", "KeyoverEngine",
                "KeyoverCompliance", "KeyoverSandbox", argumentParser, asyncHTTPClient, nioCore, nioHTTP1,
            ],
            swiftSettings: house),
        .executableTarget(
            name: "keyover",
            dependencies: ["CKeyoverProcess", "CKeyoverSQLite", "KeyoverCore", "KeyoverSealing", sqlite],
            swiftSettings: house,
            linkerSettings: [
                // What FoundationEssentials needs besides, which a target compiled for dynamic linking does not say.
                .linkedLibrary("_FoundationCollections", .when(configuration: .release)),
                .linkedLibrary("_FoundationCShims", .when(configuration: .release)),
                .unsafeFlags(["-static-executable"], .when(configuration: .release)),
            ]),
        .executableTarget(
            name: "keyover-simulate", dependencies: ["KeyoverTesting"], swiftSettings: house),
        // The real servers that vaults live on, for tests.
        .target(
            name: "VaultServers",
            dependencies: ["CKeyoverProcess", "KeyoverCore", "KeyoverOAuth", "KeyoverSealing", "KeyoverVaults"],
            path: "Tests/VaultServers", swiftSettings: house),
        // A process that works on a vault until it is done or killed, for tests.
        .executableTarget(
            name: "keyover-vault-worker", dependencies: ["KeyoverCore", "KeyoverSealing", "KeyoverVaults"],
            path: "Tests/VaultWorker", swiftSettings: house),
        tests(of: "KeyoverCore", ["KeyoverConformance"]),
        tests(of: "KeyoverSealing", ["KeyoverConformance", crypto], data: ["Golden"]),
        tests(
            of: "KeyoverVaults",
            [
                "CKeyoverProcess", "KeyoverConformance", "VaultServers", "keyover", "keyover-vault-worker", grdb,
                nioCore, nioPosix,
            ]),
        tests(of: "KeyoverOAuth", ["KeyoverSandbox", nioCore, nioEmbedded, nioPosix, nioSSL]),
        tests(of: "KeyoverProviders", ["KeyoverConformance", "KeyoverSandbox", nioCore, nioPosix]),
        tests(of: "KeyoverEngine", ["KeyoverTesting"]),
        tests(of: "KeyoverCompliance"),
        tests(of: "KeyoverSandbox", [nioCore, nioPosix]),
        tests(of: "KeyoverTesting"),
        .target(name: "CFaultInjection", path: "Tests/CFaultInjection"),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "CKeyoverProcess", "KeyoverConformance", "KeyoverCore", "KeyoverSealing", "KeyoverVaults",
                "KeyoverSandbox", "VaultServers", "keyover-main", "keyover", asyncHTTPClient, nioCore, nioHTTP1,
            ], exclude: ["Transcripts"], swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
