# expect: 2:1 error invalid-assignment
os.environ["SIZE"] = 3
