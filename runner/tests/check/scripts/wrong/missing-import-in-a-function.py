# expect: 3:5 error unresolved-reference `time`
def wait():
    time.sleep(1)


wait()
