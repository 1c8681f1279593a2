# expect: 7:1 error too-many-positional-arguments
class Web:
    def start():
        machine.systemctl("start web")


Web().start()
