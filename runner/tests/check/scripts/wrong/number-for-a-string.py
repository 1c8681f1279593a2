# machines: server
# expect: 5:21 error invalid-argument-type
# expect: 6:23 error invalid-argument-type
for n in range(3):
    server.send_key(n)
    server.send_chars(n)
