import json

state = machine.succeed("systemctl is-system-running || true").strip()
match state:
    case "running":
        machine.log("all good")
    case "degraded" | "starting":
        machine.log(machine.succeed("systemctl --failed"))
    case other:
        raise Exception(f"odd state {other}")

match machine.execute("exit 3"):
    case (0, out):
        print("fine", out)
    case (code, _) if code > 2:
        print("bad", code)
    case _:
        pass

match json.loads(machine.succeed("ip -j addr")):
    case [{"ifname": "lo"}, {"ifname": name, "mtu": int(mtu)}, *rest]:
        print(name, mtu, rest)
    case []:
        print("no interface")
match = "a name like any other"
print(match)
