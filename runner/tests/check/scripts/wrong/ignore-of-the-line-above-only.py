# expect: 4:1 warning ignored-status
# vmtest: ignore[ignored-status]
machine.execute("reboot")
machine.execute("reboot")
