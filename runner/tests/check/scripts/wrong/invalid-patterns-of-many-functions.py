# expect: 9:10 error invalid-regex
# expect: 10:8 error invalid-regex
# expect: 11:12 error invalid-regex
# expect: 12:10 error invalid-regex
# expect: 13:14 error invalid-regex
import re

text = machine.succeed("cat /etc/hosts")
re.match("a{2,1}", text)
re.sub("?", "", text)
re.findall("(?<=a+)b", text)
re.split("[z-a]", text)
re.fullmatch(r"(\d+)\2", text)
