# expect: 2:7 error unresolved-reference did you mean `vlan
print(vlan2.nr)
