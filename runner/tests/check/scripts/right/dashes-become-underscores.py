# machines: web-1, web-2, 9lives, a.b
web_1.start()
web_2.start()
_lives.wait_for_unit("multi-user.target")
a_b.succeed("true")
for node in (web_1, web_2):
    node.wait_for_open_port(80)
