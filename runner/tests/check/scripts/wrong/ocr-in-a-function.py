# expect: 3:17 error ocr-not-enabled
def look(node):
    return node.get_screen_text()


look(machine)
