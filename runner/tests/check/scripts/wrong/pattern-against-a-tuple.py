# expect: 4:8 error no-matching-overload
import re

assert re.search("x", machine.execute("y"))
