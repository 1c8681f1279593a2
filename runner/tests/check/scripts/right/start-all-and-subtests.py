# machines: server, client
start_all()

with subtest("both are up"):
    server.wait_for_unit("multi-user.target")
    client.wait_for_unit("multi-user.target")

with subtest("they see one another"):
    client.succeed("ping -c 1 server")
    server.succeed("ping -c 1 client")
