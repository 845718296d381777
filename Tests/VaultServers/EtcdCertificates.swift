import Foundation

/// A certificate authority of its own, and certificates of it, made by openssl in a folder.
struct EtcdCertificates {
    private let folder: String

    /// The authority's certificate.
    var authority: String { folder + "/ca.pem" }
    /// What members show each other and their clients.
    var member: (chain: String, key: String) { (folder + "/member.pem", folder + "/member.key") }

    /// Makes all of it; the members' certificate has no common name, since etcd's gateway takes one for a user.
    init(in folder: String) throws {
        self.folder = folder
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"]
        try Self.openssl(
            ["req", "-x509"] + newKey + [
                "-days", "2", "-subj", "/O=keyover test authority", "-keyout", "ca.key", "-out", "ca.pem",
            ], in: folder)
        try Self.openssl(
            ["req"] + newKey + ["-subj", "/O=keyover test member", "-keyout", "member.key", "-out", "member.csr"],
            in: folder)
        try Data("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n".utf8)
            .write(to: URL(filePath: folder + "/extensions"))
        try Self.openssl(
            [
                "x509", "-req", "-in", "member.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2", "-days",
                "2", "-sha256", "-extfile", "extensions", "-out", "member.pem",
            ], in: folder)
    }

    private static func openssl(_ arguments: [String], in folder: String) throws {
        try runTool(["openssl"] + arguments, in: folder)
    }
}
