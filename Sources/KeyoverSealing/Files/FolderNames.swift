import Glibc

/// The names of what lies in a folder.
public enum FolderNames {
    /// The names, without `.` and `..`, in no particular order; `nil` when the folder cannot be read.
    public static func all(in path: String) -> [String]? {
        names(in: opendir(path))
    }

    /// The names in an open folder, which stays open.
    static func all(in descriptor: Int32) -> [String]? {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return nil }
        guard let listing = fdopendir(copy) else {
            close(copy)
            return nil
        }
        return names(in: listing)
    }

    private static func names(in listing: OpaquePointer?) -> [String]? {
        guard let listing else { return nil }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
