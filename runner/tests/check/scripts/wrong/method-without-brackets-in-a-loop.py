# expect: 2:13 error not-iterable
for line in machine.get_console_log:
    print(line)
