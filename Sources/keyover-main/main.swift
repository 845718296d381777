import Glibc
import KeyoverEngine

guard ProcessHardening.apply() else {
    Terminal().insist("error: the kernel does not let this process keep its memory to itself")
    exit(ExitStatus.failed.rawValue)
}
umask(0o077)
Signals.ignoreBrokenPipes()
exit(await Invocation.run(Array(CommandLine.arguments.dropFirst())))
