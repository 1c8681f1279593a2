# expect: 2:8 error unresolved-attribute did you mean `start_all`
driver.startall()
