# machines: a, b
# expect: 3:16 error invalid-syntax `,`
for node in [a b]:
    node.start()
