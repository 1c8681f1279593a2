# expect: 2:7 error unsupported-operator `str | None`
print("x" + os.environ.get("HOME"))
