import base64
import hashlib

raw = machine.succeed("base64 -w0 /etc/hostname")
data = base64.b64decode(raw)
assert data.decode("utf-8").strip() == machine.name
digest = hashlib.sha256(data).hexdigest()
assert machine.succeed("sha256sum /etc/hostname").split()[0] == digest
print(b"a\x00b".hex(), bytes([1, 2]), bytearray(b"x"), "ü".encode(), data[:3] + b"!")
words = "a b c".split()
print(words[0], words[-1], "-".join(words), "%s is %d" % ("x", 3), "{:>4}".format(1), "a" * 3)
text = "line\n" "line2\n"
text += "line3"
print(text.splitlines(), text.partition("\n")[2], text.removeprefix("line"), text.count("line"))
print(r"C:\raw", 'single', """triple "quoted" text""", '''other 'triple' text''', "tab\tend")
int("42"), float("1.5"), str(42), bool(""), list("abc"), ord("a"), chr(97), hex(255)
