# machines: server, client
# expect: 4:1 error unknown-machine `router`
start_all()
router.wait_for_unit("multi-user.target")
