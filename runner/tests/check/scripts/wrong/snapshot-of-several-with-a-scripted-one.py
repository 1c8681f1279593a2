# machines: server, old-router
# scripted: old-router
# expect: 4:19 error wrong-machine-kind `old-router`
before = snapshot(old_router, server)
restore(before)
