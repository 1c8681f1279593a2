# machines: left, right
# expect: 5:10 error ocr-not-enabled
# expect: 6:10 error ocr-not-enabled
for node in (left, right):
    node.wait_for_text("Hello")
machines.wait_for_text("Hello")
