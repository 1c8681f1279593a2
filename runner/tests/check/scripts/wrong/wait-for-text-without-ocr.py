# machines: desktop
# expect: 6:13 error ocr-not-enabled enableOCR
# expect: 7:24 error ocr-not-enabled enableOCR
desktop.wait_for_x()
with subtest("welcome"):
    desktop.wait_for_text("Welcome")
    variants = desktop.get_screen_text_variants()
    print(variants)
