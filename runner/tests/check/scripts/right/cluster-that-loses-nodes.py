# machines: node1, node2, node3, client
import contextlib
import itertools
import threading
import time
from collections import deque

members = [node1, node2, node3]
history: deque[tuple[float, str]] = deque(maxlen=100)
stop = threading.Event()
writes = 0
failures = 0
lock = threading.Lock()


def etcdctl(command, node=client):
    endpoints = ",".join(f"http://{m.name}:2379" for m in members)
    return f"etcdctl --endpoints={endpoints} {command}"


def leader():
    for member in members:
        if not member.booted:
            continue
        status, out = member.execute("etcdctl endpoint status -w fields")
        if status != 0:
            continue
        fields = dict(line.split(" : ", 1) for line in out.splitlines() if " : " in line)
        if fields['"Leader"'] == fields['"MemberID"']:
            return member
    return None


def write_forever():
    global writes, failures
    for number in itertools.count():
        if stop.is_set():
            return
        status, _ = client.execute(etcdctl(f"put key {number}"), timeout=10)
        with lock:
            if status == 0:
                writes += 1
            else:
                failures += 1
            history.append((time.monotonic(), "ok" if status == 0 else "failed"))


@contextlib.contextmanager
def without(node: Machine, how="shutdown"):
    getattr(node, how)()
    try:
        yield [m for m in members if m is not node]
    finally:
        if how == "block":
            node.unblock()
        else:
            node.start()
            node.wait_for_unit("etcd")


start_all()
machines.wait_for_unit("multi-user.target")
for member in members:
    member.wait_for_unit("etcd.service")
    member.wait_for_open_port(2379, member.name)

writer = threading.Thread(target=write_forever, name="writer", daemon=True)
writer.start()

with subtest("a leader is found"):
    retry(lambda last: leader() is not None, timeout_seconds=60)
    first = leader()
    assert first is not None
    log.info(f"{first.name} leads")

with subtest("another one takes over"), without(first, "crash") as rest:
    retry(lambda last: (now := leader()) is not None and now is not first, timeout_seconds=120)
    second = next(m for m in rest if m is leader())
    client.wait_until_succeeds(etcdctl("get key"), timeout=60)
    print(second.name)

with subtest("no majority, no writes"):
    with without(node2), without(node3):
        client.wait_until_fails(etcdctl("put key x"), timeout=60)
    client.wait_until_succeeds(etcdctl("put key y"), timeout=120)

stop.set()
writer.join(timeout=60)
assert not writer.is_alive(), "the writer hangs"
assert writes > 0, list(history)[-5:]
seconds = [round(b[0] - a[0], 1) for a, b in itertools.pairwise(history)]
print(f"{writes} writes, {failures} failures, at most {max(seconds, default=0)} s apart")
