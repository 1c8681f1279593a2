import re

text = machine.succeed("ip -4 addr show dev eth0")
m = re.search(r"inet (\S+)/(\d+)", text)
assert m is not None, "no address"
address, prefix = m.groups()
print(address, int(prefix))

found = re.search("mtu ([0-9]+)", text)
assert found
mtu = int(found.group(1))
if match := re.match(r"(\d+)", text):
    print(match[1])
print(mtu, re.findall(r"\d+", text))
assert re.search("inet", text)
assert not re.search("^nothing", text, re.MULTILINE)
assert re.search(r"state +UP\b", text, re.IGNORECASE) is not None, (
    "it is down: " + text
)
