# expect: 2:7 error invalid-syntax
print "x"
