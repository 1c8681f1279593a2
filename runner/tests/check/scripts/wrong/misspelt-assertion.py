# expect: 3:3 error unresolved-attribute did you mean `assertIn`
# expect: 4:3 error unresolved-attribute did you mean `assertTrue`
t.assertIN("a", "abc")
t.assert_true(machine.is_up())
