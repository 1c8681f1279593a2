# expect: 3:31 error invalid-regex
# expect: 4:37 error invalid-regex
machine.wait_for_console_text("login (")
machine.wait_for_console_text(regex=r"[a-z")
