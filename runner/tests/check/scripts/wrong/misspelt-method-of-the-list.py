# machines: server, client
# expect: 4:10 error unresolved-attribute did you mean `wait_for_unit`
# expect: 5:23 error unresolved-attribute did you mean `succeed`
machines.wait_for_unt("multi-user.target")
group(server, client).suceed("true")
