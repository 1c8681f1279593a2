# machines: server, client
# expect: 6:12 error unknown-machine did you mean `server`


def check():
    return sever.succeed("hostname") == client.succeed("hostname")


check()
