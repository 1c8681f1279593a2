# expect: 3:5 error unresolved-attribute did you mean `info`
# expect: 4:5 error unresolved-attribute did you mean `warning`
log.inf("x")
log.warnin("x")
