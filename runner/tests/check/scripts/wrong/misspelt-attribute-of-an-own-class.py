# expect: 7:21 error unresolved-attribute did you mean `port`
class Web:
    def __init__(self):
        self.port = 80

    def show(self):
        return self.prot


print(Web().show())
