# machines: server, client
import threading

machines = [server, client]
for m in machines:
    m.start()
log = server.succeed("journalctl -b")
print(log.splitlines()[0])
t = threading.Thread(target=server.shutdown)
t.start()
t.join()
driver = "virtio"
server.succeed(f"lsmod | grep {driver}")
group = "users"
client.succeed(f"getent group {group}")
debug = False
vlans = [1, 2]
snapshot = "daily"
parallel = 4
print(debug, vlans, snapshot, parallel)


def retry(function, tries=3):
    for number in range(tries):
        if function(number):
            return True
    return False


def subtest_of(machine, log):
    log.append(machine.name)


retry(lambda number: number > 1, tries=5)
