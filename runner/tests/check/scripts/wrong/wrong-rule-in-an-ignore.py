# expect: 3:9 error unresolved-attribute
# expect: 4:1 warning ignored-status
machine.suceed("true")  # vmtest: ignore[ignored-status]
machine.execute("reboot")  # vmtest: ignore[shell-syntax]
