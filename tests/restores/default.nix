# Machines go back to a snapshot a hundred times, and eight of them at once: each time with the right clock and with random
# numbers of their own, and nothing is left behind on the host.
{ guests, vmTest }:
let
  number = index: {
    name = "node${toString index}";
    value = guests.busybox { memory = 128; };
  };
in
vmTest {
  name = "restores";
  snapshot = true;
  nodes = builtins.listToAttrs (builtins.genList (index: number (index + 1)) 8);
  testScript = ''
    import os
    import time

    DRAWN = set()


    def look(machine):
        """Reads random numbers and the clock, which no other machine has so."""
        asked = time.time()
        drawn, now = machine.succeed("head -c 16 /dev/urandom | od -A n -t x1; date +%s").strip().split("\n")
        assert drawn not in DRAWN, f"{machine.name} draws what was drawn before"
        DRAWN.add(drawn)
        # It has whole seconds, and was read at some moment of a command that may take long among others.
        t.assertTrue(asked - 2 < int(now) < time.time() + 1, (asked, now, time.time()))


    def held():
        """What the runner holds: descriptors, threads, files in its scratch folder, MiB of memory."""
        with open("/proc/self/status") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        files = sum(len(names) for _, _, names in os.walk(node1.state_dir.parent))
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), files, resident // 1024


    node1.succeed("echo kept > /tmp/state")
    before = node1.snapshot()
    node1.restore(before)
    look(node1)
    at_first = held()
    for _ in range(99):
        node1.succeed("echo lost > /tmp/state")
        node1.restore(before)
        look(node1)
    t.assertEqual(node1.succeed("cat /tmp/state"), "kept\n")
    at_last = held()
    print("held by the runner:", at_first, at_last)
    for first, last, more in zip(at_first, at_last, (4, 4, 4, 64)):
        t.assertLessEqual(last, first + more)

    start_all()
    machines.connect()
    all_of_them = snapshot()
    for _ in range(3):
        restore(all_of_them)
        parallel(*[lambda machine=machine: look(machine) for machine in machines])
    node1.succeed("ping -c 1 node8")
    print(len(DRAWN), "times")
  '';
}
