# expect: 2:3 error unresolved-attribute did you mean `assertEqual`
t.assertEquals(1, 1)
