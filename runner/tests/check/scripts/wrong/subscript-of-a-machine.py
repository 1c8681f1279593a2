# machines: web
# expect: 3:1 error not-subscriptable
web[0].succeed("true")
