# expect: 2:9 error unresolved-attribute did you mean `allow_reboot`
machine.allow_reboots = True
