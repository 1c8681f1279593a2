# expect: 2:1 error missing-argument `container`
t.assertIn("a")
