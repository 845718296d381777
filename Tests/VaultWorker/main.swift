import Glibc

// Works on a vault until it is done or killed, for tests. Everything that it needs stands in the environment, with the
// names that keyover knows.
//
// usage: keyover-vault-worker CLIENT TIMES < a pipe that ends when whoever started it has ended

Worker.endWithItsOwner()
do {
    try await Worker.run()
} catch {
    let text = Array("\(error)\n".utf8)
    _ = write(2, text, text.count)
    exit(1)
}
