# expect: 3:9 error unresolved-attribute did you mean `wait_for_unit`
# expect: 4:9 error unresolved-attribute did you mean `wait_until_succeeds`
machine.waitForUnit("nginx")
machine.waitUntilSucceeds("true")
