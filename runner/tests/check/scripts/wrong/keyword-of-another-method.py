# expect: 3:29 error unknown-argument `user`
# expect: 4:23 error unknown-argument `message`
machine.wait_for_file("/x", user="alice")
machine.fail("false", message="it should fail")
