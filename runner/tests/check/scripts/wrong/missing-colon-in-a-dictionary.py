# expect: 2:17 error invalid-syntax
ports = {"http" 80}
