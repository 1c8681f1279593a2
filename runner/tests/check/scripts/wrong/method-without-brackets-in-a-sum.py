# expect: 2:8 error unsupported-operator
text = "name: " + machine.get_console_log
print(text)
