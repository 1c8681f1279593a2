# expect: 3:9 error unresolved-attribute
# expect: 4:1 warning ignored-status
machine.suceed("true")  # noqa
machine.execute("reboot")  # noqa: E501
