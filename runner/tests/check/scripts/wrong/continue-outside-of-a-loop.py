# expect: 3:5 error invalid-syntax `continue`
def check():
    continue


check()
