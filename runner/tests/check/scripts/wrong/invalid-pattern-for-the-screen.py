# option: enableOCR
# expect: 4:23 error invalid-regex
# expect: 5:23 error invalid-regex
machine.wait_for_text("*Welcome*")
machine.wait_for_text("Log in)", timeout=10)
