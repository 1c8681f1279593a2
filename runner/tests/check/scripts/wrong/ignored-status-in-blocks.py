# machines: server, client
# expect: 6:9 warning ignored-status
# expect: 10:5 warning ignored-status
with subtest("x"):
    for node in (server, client):
        node.execute("rm -rf /var/lib/app")


def restart():
    server.execute("systemctl restart app", timeout=10)


restart()
