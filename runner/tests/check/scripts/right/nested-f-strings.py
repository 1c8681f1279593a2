users = ["alice", "bob"]
ports = {"http": 80, "https": 443}
machine.succeed(f"echo {' '.join(f'{u}@{machine.name}' for u in users)}")
machine.succeed(f"echo {" ".join(f"{k}={v}" for k, v in ports.items())}")
machine.succeed(f"test {ports["http"]} -eq 80")
print(f"{f"{f"{1 + 1}"}"}")
print(f"{'a' if users else "b"!r:>10}|{3.14159:.{2}f}|{{literal}}|{machine.name=}")
print(f"""{
    machine.name  # a comment within
}""")
newline = f"{"\n".join(users)}"
machine.succeed(f"test $(echo '{newline}' | wc -l) -eq {len(users)}")
print(rf"\d{users[0]}\n", f'{users[0][0]}' "plain" f"{ports['https']:05d}")
