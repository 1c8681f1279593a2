# machines: server
# expect: 6:20 error unresolved-attribute did you mean `succeed`
with subtest("deep within"):
    for n in range(3):
        if n > 1:
            server.succed(f"echo {n}")
