# machines: server, old
# scripted: old
# expect: 6:13 error wrong-machine-kind `old`
# expect: 7:5 error wrong-machine-kind `old`
server.snapshot()
saved = old.snapshot()
old.restore(saved)
