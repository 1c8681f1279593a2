# expect: 2:13 error unresolved-attribute did you mean `socket_dir`
print(vlan1.socketdir)
