# expect: 3:15 error ocr-not-enabled enableOCR
machine.wait_for_x()
print(machine.get_screen_text())
