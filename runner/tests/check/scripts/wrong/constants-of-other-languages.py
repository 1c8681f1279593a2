# expect: 4:28 error unresolved-reference did you mean `True`
# expect: 5:9 error unresolved-reference `null`
# expect: 6:33 error unresolved-reference did you mean `None`
machine.start(allow_reboot=true)
value = null
machine.succeed("true", timeout=none)
print(value)
