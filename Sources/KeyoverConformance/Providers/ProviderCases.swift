import KeyoverCore

extension ProviderSuite {
    var listingCases: [ConformanceCase] {
        [
            serverCase("the list shows the adopted secret, turned on and without its value") { bench in
                let listed = try await bench.list()
                try expect(listed.map(\.id) == [bench.client.secretID], "the list is \(listed)")
                try expect(listed.allSatisfy(\.isActive), "the secret is listed as turned off")
                try bench.expectHidden([bench.client.secret], in: listed, "the list")
            },
            serverCase("an unknown client is not found, and that changes nothing") { bench in
                let stranger = ClientReference(name: bench.reference.name, clientID: "no-such-client")
                let listing = try bench.power(\.listing)
                let error = try await bench.failure(of: "listing an unknown client") { () throws(ProviderError) in
                    _ = try await listing.secrets(of: stranger)
                }
                try expect(error.failure == .notFound, "the class is \(error.failure)")
                try expect(error.effect == .none, "the effect is \(error.effect)")
            },
        ]
    }

    var addingCases: [ConformanceCase] {
        [
            serverCase("an added secret is listed with its tag and without its value") { bench in
                let added = try await bench.add("keyover:tag-1")
                try await bench.propagate()
                let listed = try await bench.list()
                try expect(listed.first { $0.id == added.id }?.tag == "keyover:tag-1", "the list is \(listed)")
                try bench.expectHidden([bench.client.secret, added.value], in: listed, "the list")
            },
            serverCase("an added secret works after the propagation bound, and the first one still does") { bench in
                let added = try await bench.add("keyover:tag-1")
                try await bench.propagate()
                try await bench.expectAccepted(added.value, "the added secret")
                try await bench.expectAccepted(bench.client.secret, "the first secret")
            },
            serverCase("one secret too many is quotaFull, and that changes nothing") { bench in
                for number in 1..<bench.capabilities.maxSecrets { _ = try await bench.add("keyover:\(number)") }
                let before = try await bench.fixture.writes(of: bench.reference)
                let adding = try bench.power(\.adding)
                let error = try await bench.failure(of: "adding too many") { () throws(ProviderError) in
                    _ = try await adding.addSecret(to: bench.reference, tag: "keyover:last", permit: bench.permit)
                }
                try expect(error.failure == .quotaFull, "the class is \(error.failure)")
                try expect(error.effect == .none, "the effect is \(error.effect)")
                try expect(try await bench.fixture.writes(of: bench.reference) == before, "something was written")
            },
            serverCase("an expired permit sends nothing") { bench in
                let before = try await bench.fixture.writes(of: bench.reference)
                let adding = try bench.power(\.adding)
                let error = try await bench.failure(of: "a write without permit") { () throws(ProviderError) in
                    _ = try await adding.addSecret(
                        to: bench.reference, tag: "keyover:late", permit: WritePermit { false })
                }
                try expect(error.effect == .none, "the effect is \(error.effect)")
                try expect(try await bench.fixture.writes(of: bench.reference) == before, "something was written")
            },
            serverCase("a permit that runs out while the connection is made sends nothing") { bench in
                let before = try await bench.fixture.writes(of: bench.reference)
                let adding = try bench.power(\.adding)
                // Counts how often it was asked: valid the first time, when the call begins, and never again.
                let count = Counter()
                let permit = WritePermit { count.next() == 1 }
                let error: ProviderError
                do {
                    _ = try await adding.addSecret(to: bench.reference, tag: "keyover:late", permit: permit)
                    try expect(count.current == 1, "the permit was asked again, and its answer ignored")
                    return
                } catch let failure as ProviderError {
                    error = failure
                }
                try expect(error.effect == .none, "the effect is \(error.effect)")
                try expect(try await bench.fixture.writes(of: bench.reference) == before, "something was written")
            },
            serverCase("a lost answer to an addition is effect unknown, and the tag shows what became of it") { bench in
                try await bench.fixture.loseNextAnswer()
                let adding = try bench.power(\.adding)
                let error = try await bench.failure(of: "an addition without answer") { () throws(ProviderError) in
                    _ = try await adding.addSecret(to: bench.reference, tag: "keyover:lost", permit: bench.permit)
                }
                try expect(error.effect == .unknown, "the effect is \(error.effect)")
                try await bench.propagate()
                let found = try await bench.list().filter { $0.tag == "keyover:lost" }
                try expect(found.count == 1, "the list shows \(found.count) secrets with the tag")
                try expect(try await bench.fixture.writes(of: bench.reference) == 1, "it was not sent exactly once")
            },
            serverCase("throttling is rateLimited with the wait, and that changes nothing") { bench in
                try await bench.fixture.throttleNextCall(retryAfter: .seconds(7))
                let adding = try bench.power(\.adding)
                let error = try await bench.failure(of: "a throttled call") { () throws(ProviderError) in
                    _ = try await adding.addSecret(to: bench.reference, tag: "keyover:tag", permit: bench.permit)
                }
                try expect(error.failure == .rateLimited(retryAfter: .seconds(7)), "the class is \(error.failure)")
                try expect(error.effect == .none, "the effect is \(error.effect)")
                try expect(try await bench.fixture.writes(of: bench.reference) == 0, "something was written")
            },
        ]
    }

    var removingCases: [ConformanceCase] {
        [
            serverCase("a removed secret is refused as a random one is, and the other still works") { bench in
                let added = try await bench.add("keyover:tag-1")
                let removing = try bench.power(\.removing)
                try await bench.propagate()
                try await removing.removeSecret(bench.client.secretID, of: bench.reference, permit: bench.permit)
                try await bench.propagate()
                try await bench.expectRefused(bench.client.secret, whileGood: added.value, "the removed secret")
                try expect(try await bench.list().map(\.id) == [added.id], "the removed secret is listed")
            },
            serverCase("removing twice is notFound, and that changes nothing") { bench in
                let added = try await bench.add("keyover:tag-1")
                let removing = try bench.power(\.removing)
                try await removing.removeSecret(added.id, of: bench.reference, permit: bench.permit)
                let error = try await bench.failure(of: "removing twice") { () throws(ProviderError) in
                    try await removing.removeSecret(added.id, of: bench.reference, permit: bench.permit)
                }
                try expect(error.failure == .notFound, "the class is \(error.failure)")
                try expect(error.effect == .none, "the effect is \(error.effect)")
                try bench.expectHidden([bench.client.secret, added.value], in: error, "the error")
            },
            serverCase("a lost answer to a removal is effect unknown, and asking again tells") { bench in
                let added = try await bench.add("keyover:tag-1")
                let removing = try bench.power(\.removing)
                try await bench.fixture.loseNextAnswer()
                let lost = try await bench.failure(of: "a removal without answer") { () throws(ProviderError) in
                    try await removing.removeSecret(added.id, of: bench.reference, permit: bench.permit)
                }
                try expect(lost.effect == .unknown, "the effect is \(lost.effect)")
                try await bench.propagate()
                let error = try await bench.failure(of: "removing again") { () throws(ProviderError) in
                    try await removing.removeSecret(added.id, of: bench.reference, permit: bench.permit)
                }
                try expect(error.failure == .notFound, "the class is \(error.failure)")
            },
        ] + (sample.capabilities.lastSecretGuard ? [lastSecretCase] : [])
    }

    private var lastSecretCase: ConformanceCase {
        serverCase("the last working secret is not removed, and that changes nothing") { bench in
            let removing = try bench.power(\.removing)
            let error = try await bench.failure(of: "removing the last secret") { () throws(ProviderError) in
                try await removing.removeSecret(bench.client.secretID, of: bench.reference, permit: bench.permit)
            }
            try expect(error.failure == .lastSecret, "the class is \(error.failure)")
            try expect(error.effect == .none, "the effect is \(error.effect)")
            try await bench.expectAccepted(bench.client.secret, "the last secret")
        }
    }

    var deactivatingCases: [ConformanceCase] {
        [
            serverCase("a secret is turned off and on again, each as often as one likes") { bench in
                let added = try await bench.add("keyover:tag-1")
                let switching = try bench.power(\.deactivating)
                let first = bench.client.secretID
                try await bench.propagate()
                for _ in 1...2 {
                    try await switching.deactivateSecret(first, of: bench.reference, permit: bench.permit)
                }
                try await bench.propagate()
                let isOn = try await bench.list().first { $0.id == first }?.isActive
                try expect(isOn == false, "it is not listed as turned off")
                try await bench.expectRefused(bench.client.secret, whileGood: added.value, "the secret turned off")
                for _ in 1...2 {
                    try await switching.reactivateSecret(first, of: bench.reference, permit: bench.permit)
                }
                try await bench.propagate()
                try await bench.expectAccepted(bench.client.secret, "the secret turned on again")
            }
        ]
    }

    var usageCases: [ConformanceCase] {
        [
            serverCase("the last use of a secret is reported once it was used") { bench in
                let added = try await bench.add("keyover:tag-1")
                try await bench.propagate()
                try await bench.expectAccepted(bench.client.secret, "the first secret")
                let use = try await bench.power(\.usage).lastUse(of: bench.reference)
                try expect(use[bench.client.secretID] != nil, "the used secret has no last use")
                try expect(use[added.id] == nil, "the unused secret has a last use")
            }
        ]
    }

    var revokingCases: [ConformanceCase] {
        [
            serverCase("a token is revoked as often as one likes, and the secret still works") { bench in
                let request = bench.fixture.exchange(bench.reference, bench.client.secret)
                let token = try await bench.fixture.exchanger.exchange(request)
                let revoking = try bench.power(\.revoking)
                for _ in 1...2 {
                    try await revoking.revoke(token, of: bench.reference, secret: bench.client.secret)
                }
                try await bench.expectAccepted(bench.client.secret, "the secret")
            },
            serverCase("a revocation with a wrong secret shows neither token nor secret in its error") { bench in
                let request = bench.fixture.exchange(bench.reference, bench.client.secret)
                let token = try await bench.fixture.exchanger.exchange(request)
                let wrong = SecretValue(copying: Array("wrong-secret-wrong".utf8))
                let revoking = try bench.power(\.revoking)
                let error = try await bench.failure(of: "a revocation with a wrong secret") {
                    () throws(ProviderError) in
                    try await revoking.revoke(token, of: bench.reference, secret: wrong)
                }
                try bench.expectHidden([wrong, token.accessToken], in: error, "the error")
            },
        ]
    }
}
