# machines: server, old
# scripted: old
server.wait_for_unit("multi-user.target")
old.wait_for_unit("multi-user.target")
saved = server.snapshot()
old.succeed("echo this one cannot be saved")
server.restore(saved)
with pristine(server):
    server.succeed("rm -rf /srv/*")
old.shutdown()
