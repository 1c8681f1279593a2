# expect: 3:8 error unsupported-operator `in`
status, _ = machine.execute("true")
assert "0" in status
