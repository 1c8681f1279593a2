# expect: 9:11 error invalid-regex
# expect: 10:11 error invalid-regex
# expect: 11:11 error invalid-regex
# expect: 12:11 error invalid-regex
# expect: 13:31 error invalid-regex
import re

text = machine.succeed("cat /etc/hosts")
re.search(r"\p{L}+", text)
re.search(r"(?<name>x)", text)
re.search(r"x(?i)y", text)
re.search(r"\h+", text)
machine.wait_for_console_text(r"\Klogin")
