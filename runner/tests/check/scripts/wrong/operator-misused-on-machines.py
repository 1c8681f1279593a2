# machines: a, b
# expect: 3:13 error unsupported-operator
for node in a + b:
    node.start()
