# expect: 3:8 error assert-on-tuple
status, out = machine.execute("true")
assert (
    status == 0,
    f"failed: {out}",
)
