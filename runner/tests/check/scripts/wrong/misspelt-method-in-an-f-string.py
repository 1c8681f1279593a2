# expect: 2:30 error unresolved-attribute did you mean `succeed`
print(f"the name is {machine.suceed('hostname')} today")
