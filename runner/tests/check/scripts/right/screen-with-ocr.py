# option: enableOCR
machine.wait_for_x()
machine.wait_for_text("Welcome")
machine.wait_for_text(r"(Log ?in|Sign in)", timeout=60)
text = machine.get_screen_text()
assert "Welcome" in text
for variant in machine.get_screen_text_variants():
    print(variant.lower())
machine.screenshot("welcome")
