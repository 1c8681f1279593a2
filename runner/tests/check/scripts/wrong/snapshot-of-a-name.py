# machines: server, client
# expect: 4:18 error invalid-argument-type `Machine`
# expect: 6:9 error invalid-argument-type `Snapshot`
saved = snapshot("server")
restore(saved)
restore(server)
