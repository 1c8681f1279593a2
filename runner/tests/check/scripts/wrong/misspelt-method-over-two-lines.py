# machines: server
# expect: 5:6 error unresolved-attribute did you mean `succeed`
out = (
    server
    .suceed("hostname")
    .strip()
)
print(out)
