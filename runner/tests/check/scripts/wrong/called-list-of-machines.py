# machines: a, b
# expect: 3:13 error call-non-callable
for node in machines():
    node.start()
