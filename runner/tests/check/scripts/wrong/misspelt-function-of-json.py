# expect: 4:13 error unresolved-attribute did you mean `loads`
import json

data = json.laods(machine.succeed("cat /etc/a.json"))
print(data)
