# expect: 2:28 error unresolved-attribute did you mean `execute`
retry(lambda last: machine.exceute("true")[0] == 0)
