# expect: 2:7 error invalid-syntax
class = "x"
