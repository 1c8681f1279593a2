# expect: 4:60 error unresolved-attribute `group`
import re

version = re.search(r"(\d+)", machine.succeed("nginx -v")).group(1)
print(version)
