# expect: 3:13 error invalid-assignment
def convert(value: str):
    value = int(value)
    return value


convert("3")
