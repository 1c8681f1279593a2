# machines: server, client
# expect: 5:1 error unresolved-reference did you mean `start_all`
# expect: 6:6 error unresolved-reference did you mean `subtest`
# expect: 8:1 error unresolved-reference did you mean `join_all`
startall()
with sub_test("x"):
    server.succeed("true")
joinall()
