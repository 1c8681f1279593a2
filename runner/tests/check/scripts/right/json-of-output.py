import json

units = json.loads(machine.succeed("systemctl list-units --output=json"))
failed = [unit["unit"] for unit in units if unit["active"] == "failed"]
assert failed == [], f"failed: {failed}"
config = json.loads(machine.succeed("cat /etc/app.json"))
assert config["server"]["port"] == 80
config["server"]["port"] += 1
machine.succeed(f"echo '{json.dumps(config)}' > /etc/app.json")
status = {entry["name"]: entry.get("ip", [None])[0] for entry in config["nodes"]}
print(json.dumps(status, indent=2, sort_keys=True))
with open("/tmp/tests.json") as file:
    for name, case in json.load(file).items():
        with subtest(name):
            assert len(case["input"]) == len(case["expected"])
