# expect: 6:5 error invalid-regex
import re

GOOD = re.compile(r"a|b")
BAD = re.compile(
    r"(?P<a>x)"
    r"(?P<a>y)",
    re.MULTILINE,
)
print(GOOD, BAD)
