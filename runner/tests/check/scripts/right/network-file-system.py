# machines: store, desk1, desk2
import time
from contextlib import contextmanager

desks = (desk1, desk2)
held = 0


def attach(node, **options):
    words = ",".join(key if value is True else f"{key}={value}" for key, value in options.items())
    node.succeed("mkdir -p /shared", f"mount -t nfs -o {words} store:/shared /shared")


@contextmanager
def lock(node, seconds=30):
    global held
    node.execute(f"flock /shared/.lock sleep {seconds} &")
    node.wait_until_succeeds("pgrep -x flock")
    held += 1
    try:
        yield
    finally:
        held -= 1
        node.succeed("pkill -x flock || true")


def took(action, *args, **kwargs) -> float:
    begin = time.monotonic()
    action(*args, **kwargs)
    return time.monotonic() - begin


store.start()
store.wait_for_unit("nfs-server.service")
for desk in desks:
    desk.start()
    desk.wait_for_unit("remote-fs-pre.target")
    attach(desk, vers=4, rw=True, timeo=50)
    desk.wait_for_unit("shared.mount")

with subtest("what one writes, the other reads"):
    for writer, reader in (desks, desks[::-1]):
        writer.succeed(f"hostname > /shared/{writer.name}")
        assert reader.succeed(f"cat /shared/{writer.name}").strip() == writer.name
    assert {desk.name for desk in desks} <= set(store.succeed("ls /shared").split())

with subtest("one lock for both"):
    with lock(desk1):
        desk2.fail("flock --nonblock /shared/.lock true")
        assert held == 1
    desk2.succeed("flock --timeout 60 /shared/.lock true")

with subtest("a restart is waited for"):
    desk1.succeed("(sleep 5; date > /shared/late) >&2 &")
    store.reboot()
    store.wait_for_unit("nfs-server")
    waited = took(desk2.wait_until_succeeds, "test -s /shared/late", timeout=300)
    print(f"{waited:.1f} s")
    if waited > 200:
        raise Exception("far too long: {:.0f} s".format(waited))

with subtest("whose files they are"):
    owners = {desk.succeed("stat --format=%U /shared/late").strip() for desk in desks}
    assert owners == {"root"} or "nobody" in owners, owners
    t.assertEqual(*[desk.succeed("md5sum /shared/late") for desk in desks])

for desk in desks:
    # A mount whose server is there does not hold up a shutdown.
    assert took(desk.shutdown) < 90, desk.name
