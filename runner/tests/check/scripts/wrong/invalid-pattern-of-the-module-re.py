# expect: 5:22 error invalid-regex
# expect: 6:18 error invalid-regex
import re

pattern = re.compile("(a|b")
assert re.search("x**", "")
