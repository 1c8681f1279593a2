# expect: 6:1 warning ignored-status
# expect: 7:1 warning ignored-status
# expect: 8:1 warning ignored-status
# expect: 9:1 warning ignored-status
# expect: 10:1 warning ignored-status
machine.execute("true && false")
machine.execute("app & wait")
machine.execute("app >&2")
machine.execute("false || exit 1")
machine.execute("curl 'http://x/?a=1&b=2'")
