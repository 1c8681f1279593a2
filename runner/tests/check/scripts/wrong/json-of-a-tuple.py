# expect: 4:18 error invalid-argument-type `tuple[int, str]`
import json

print(json.loads(machine.execute("cat /x")))
