# expect: 4:8 error unresolved-attribute `includes`
# expect: 5:15 error unresolved-attribute `trim`
out = machine.succeed("cat /etc/hosts")
if out.includes("localhost"):
    print(out.trim())
