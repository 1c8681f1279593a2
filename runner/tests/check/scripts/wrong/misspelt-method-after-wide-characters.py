# expect: 2:24 error unresolved-attribute did you mean `succeed`
print("äöü 🦀", machine.suceed("true"))
