# machines: server, client
# expect: 5:8 error unresolved-attribute did you mean `succeed`
start_all()
server.wait_for_unit("nginx.service")
client.suceed("curl -f http://server/")
