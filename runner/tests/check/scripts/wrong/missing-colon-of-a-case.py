# expect: 3:11 error invalid-syntax `:`
match machine.execute("true")[0]:
    case 0
        print("fine")
