# expect: 2:8 error unresolved-reference `json`
data = json.loads(machine.succeed("cat /etc/a.json"))
print(data)
