watcher = None
checkpoint = None


class Watcher:
    def stop(self):
        machine.succeed("pkill watch")


def begin():
    global watcher
    watcher = Watcher()


def end():
    watcher.stop()


class Holder:
    current = None

    def take(self):
        self.current = Watcher()

    def drop(self):
        self.current.stop()


begin()
end()
holder = Holder()
holder.take()
holder.drop()
checkpoint = machine.succeed("date")
print(checkpoint.strip())
