# machines: server, client
import threading
import time


def load(machine, seconds):
    machine.succeed(f"timeout {seconds} yes > /dev/null || true")


threads = [threading.Thread(target=load, args=(m, 2)) for m in (server, client)]
for thread in threads:
    thread.start()
time.sleep(1)
for thread in threads:
    thread.join()

t = threading.Thread(target=lambda: server.wait_for_unit("multi-user.target"), daemon=True)
t.start()
t.join(timeout=60)
assert not t.is_alive()


class Watcher(threading.Thread):
    def __init__(self, node):
        super().__init__(name=f"watch-{node.name}")
        self.node = node
        self.seen = []

    def run(self):
        self.seen.append(self.node.succeed("date"))


watcher = Watcher(client)
watcher.start()
watcher.join()
print(watcher.seen[0])
