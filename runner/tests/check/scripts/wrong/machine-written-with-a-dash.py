# machines: web-1, web-2
# expect: 4:7 error invalid-syntax
web_1.succeed("true")
web-1.succeed("true")
