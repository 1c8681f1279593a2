# expect: 3:8 error unresolved-reference did you mean `hostname`
hostname = machine.succeed("hostname").strip()
assert hostnane == "machine"
