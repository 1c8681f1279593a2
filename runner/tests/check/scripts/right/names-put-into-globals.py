for number in range(2):
    globals()[f"port{number}"] = 8000 + number
globals().update(suffix="x")
machine.wait_for_open_port(port0)
machine.succeed(f"echo {port1} {suffix}")
