# machines: a, b
# expect: 3:26 error invalid-regex
[m.wait_for_console_text("ready)") for m in machines]
