import re

names = ["a", "b"]
machine.wait_for_console_text("(?P<user>[a-z]+) logged in")
machine.wait_for_console_text(rf"web\d+ ({'|'.join(names)}) ready")
machine.wait_for_window("[^ ]+ - Editor")
machine.wait_until_tty_matches("2", "alice@[a-z0-9-]+:~\\$")
assert re.match(r"(?:\d{1,3}\.){3}\d{1,3}", "10.0.0.1")
assert re.fullmatch("(?s).*", "x\ny")
assert re.sub(r"(a)(?=b)", r"\1!", "ab") == "a!b"
assert re.split(r"[,;]\s*", "a, b;c") == ["a", "b", "c"]
assert re.findall("(?<!x)y", "xy y") == ["y"]
assert [m.group() for m in re.finditer("[[]|[]]", "[]")] == ["[", "]"]
assert re.search(re.escape("a+b(c"), "a+b(c")
