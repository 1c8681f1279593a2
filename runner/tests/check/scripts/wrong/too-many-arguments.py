# expect: 4:37 error too-many-positional-arguments
# expect: 5:25 error too-many-positional-arguments
# expect: 6:11 error too-many-positional-arguments
machine.start_job("nginx", "alice", 10)
machine.screenshot("a", "b")
start_all(machine)
