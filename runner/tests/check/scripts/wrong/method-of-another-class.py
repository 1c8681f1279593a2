# machines: a, b
# expect: 3:8 error unresolved-attribute `subtest`
with a.subtest("on a"):
    b.succeed("true")
