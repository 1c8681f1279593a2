# machines: server, client
hostname = lambda node: node.succeed("hostname").strip()
checks = {
    "web": lambda: server.wait_for_open_port(80),
    "shell": lambda: server.wait_for_open_port(22),
}
for name, check in checks.items():
    with subtest(name):
        check()
actions = [lambda m=m: m.succeed("true") for m in (server, client)]
for action in actions:
    action()
add = lambda a, b=1, *rest, key=None, **more: (a, b, rest, key, more)
print(add(1, 2, 3, key=4, x=5))


def outer(prefix):
    def inner(text):
        def innermost():
            return prefix + text

        return innermost()

    return inner


say = outer("> ")
print(say(hostname(client)))
print(sorted(machines, key=lambda m: (len(m.name), m.name)))
print((lambda: (yield))())
