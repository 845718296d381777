import FoundationEssentials
import KeyoverCore

/// Text from a server, made fit to be shown: bounded, on one line, and without what we sent.
struct ServerText {
    private static let withheld = "(withheld)"
    private let secrets: [[UInt8]]

    /// Texts that hold any of the secrets, or a telling piece of one, are withheld whole; so are those of `forms`, in
    /// which a secret travels.
    init(hiding secrets: [SecretValue], andForms forms: [String] = []) {
        let encoded = secrets.flatMap { secret in
            let plain = secret.withUnsafeSecretBytes { Array($0) }
            return [plain, PercentEncoding.form(plain), Array(Data(plain).base64EncodedString().utf8)]
        }
        self.secrets = encoded + forms.map { Array($0.utf8) }
    }

    /// The text as it may be shown; `nil` when nothing of it is left.
    func clean(_ text: String, limit: Int) -> String? {
        // Looked at before anything is cut off or taken out, since that could leave half a secret.
        guard !isTelling(Array(text.utf8)) else { return Self.withheld }
        let printable = text.unicodeScalars.prefix(limit * 4).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                " "
            default: scalar
            }
        }
        let words = String(String.UnicodeScalarView(printable)).split(separator: " ")
        let line = words.joined(separator: " ")
        let short = line.count > limit ? line.prefix(limit) + "..." : line[...]
        return short.isEmpty ? nil : String(short)
    }

    /// Whether the text shares with a secret the whole of it, or any eight bytes in a row.
    private func isTelling(_ text: [UInt8]) -> Bool {
        secrets.contains { secret in
            let width = min(8, secret.count)
            guard width > 0, text.count >= width else { return false }
            let pieces = Set((0...secret.count - width).map { secret[$0..<$0 + width] })
            return (0...text.count - width).contains { pieces.contains(text[$0..<$0 + width]) }
        }
    }
}
