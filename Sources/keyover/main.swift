// The front: answers `keyover get` on a file vault by itself, because scripts start it thousands of times a minute, and
// hands everything else over to `keyover-main`. It understands little on purpose; what it does not understand exactly,
// in arguments, environment or configuration, is not its business.
//
// Standard output gets the answer and nothing else. Standard error gets `error:` and `hint:` lines.

import CKeyoverProcess
import Glibc
import KeyoverCore
import KeyoverSealing

guard keyover_harden_process() == 0 else {
    exit(Report.failure("this process cannot be kept out of core dumps", hint: nil))
}

guard let request = Request(CommandLine.arguments) else { exit(HandOver.toMain()) }

var (looks, isSecondLook) = (0, false)
while true {
    looks += 1
    guard let settings = Settings(request, Environment.current()) else { exit(HandOver.toMain()) }
    do throws(VaultError) {
        let record = try Lookup(settings).record(request.client)
        guard let record else { exit(Report.unknownClient(request.client)) }
        let output: SecretOutput
        do throws(RotationError) {
            output = try SecretOutput(record)
        } catch {
            // While a vault is moved, this host's configuration follows in a moment; the new one may not be a file.
            guard error.code == .moved, looks <= SecretOutput.looksAfterMove else { exit(Report.failure(error)) }
            usleep(UInt32(SecretOutput.pauseAfterMove) * 1000)
            continue
        }
        try Report.answer(output.render(field: request.field, format: request.format))
        break
    } catch {
        // While the vault is rekeyed or restored, what was read first and last may not belong together: look once more.
        if !isSecondLook, error.code == .notTrusted {
            isSecondLook = true
            continue
        }
        exit(Report.failure(error))
    }
}
