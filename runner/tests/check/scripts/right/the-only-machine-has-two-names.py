# machines: server
server.wait_for_unit("nginx")
machine.succeed("curl -f http://localhost/")
assert server is machine
