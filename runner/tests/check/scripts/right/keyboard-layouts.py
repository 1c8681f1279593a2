import json
import shlex

LISTEN = "/nix/store/2a4c6e8g0j2l4n6q8s0u2w4y6a8c0e2g-listen"
LAYOUTS = "/nix/store/4c6e8g0j2l4n6q8s0u2w4y6a8c0e2g4j-layouts.json"


def typed(keys, launcher, title=None):
    """What arrives when these keys are pressed."""
    machine.succeed("rm -f /tmp/listening /tmp/heard")
    command = "{} {} --count {:d}".format(launcher, LISTEN, len(keys))
    machine.succeed(f"{command} >&2 &")
    if title is not None:
        machine.wait_for_window(title)
        machine.succeed(
            "xdotool search --sync --name "
            f"{shlex.quote(title)} windowfocus"
        )
    machine.wait_for_file("/tmp/listening")
    for key in keys:
        machine.send_key(key, delay=0.05)
    machine.wait_for_file("/tmp/heard")
    return machine.succeed("cat /tmp/heard")


with open(LAYOUTS) as file:
    layouts = json.load(file)

wait = machine.wait_for_x
wait()

places = {
    "a window": ("DISPLAY=:0 xterm -T listener -e", "listener"),
    "the console": ("openvt --switch --wait --", None),
}

for place, (launcher, title) in places.items():
    for layout, cases in layouts.items():
        with subtest(f"{layout} in {place}"):
            for case in cases:
                heard = typed(case["keys"], launcher, title=title)
                wanted = "".join(case["characters"])
                assert heard == wanted, f"{case['keys']}: {heard!r}, not {wanted!r}"
