# option: enableOCR
import shlex
import subprocess
import tempfile
from contextlib import contextmanager


@polling_condition(description="the window manager lives")
def manager_lives():
    machine.succeed("pgrep -u alice --exact labwc")


def as_alice(command, background=False):
    wrapped = f"su - alice -c {shlex.quote(command)}"
    return wrapped + " >&2 &" if background else wrapped


def colours() -> dict[str, int]:
    """How many points of each colour are on the screen."""
    with tempfile.NamedTemporaryFile(suffix=".ppm") as picture:
        machine.send_monitor_command(f"screendump {picture.name}")
        done = subprocess.run(
            f"convert {picture.name} -format %c histogram:info:", shell=True, capture_output=True, text=True
        )
    if done.returncode != 0:
        print("convert:", done.stderr)
        return {}
    counts = {}
    for row in done.stdout.splitlines():
        number, _, rest = row.strip().partition(":")
        words = [word for word in rest.split() if word.startswith("#")]
        if words:
            counts[words[0]] = int(number)
    return counts


@contextmanager
def program(command, title):
    machine.succeed(as_alice(command, background=True))
    machine.wait_for_window(title)
    try:
        yield
    finally:
        machine.send_key("alt-f4")
        machine.wait_until_fails(f"pgrep -u alice -f {shlex.quote(command.split()[0])}")


start_all()
machine.wait_for_unit("graphical.target")
machine.wait_for_file("/run/user/1000/bus")
manager_lives.wait()

with manager_lives:
    with subtest("a text is written"), program("mousepad draft.txt", r"draft\.txt"):
        machine.send_chars("Grüße, World\n")
        machine.wait_for_text(r"W[o0]rld", timeout=120)
        machine.send_key("ctrl-s")
        machine.wait_until_succeeds("grep World ~alice/draft.txt")
        machine.screenshot("text.png")

    for terminal, colour in [("xterm -bg '#00FF7F'", "#00FF7F"), ("foot --app-id=f", "#242424")]:
        with subtest(f"terminal {terminal.split()[0]}"), program(terminal, "alice"):
            machine.send_chars("tput colors > n\n")
            machine.wait_for_file("/home/alice/n")

            def mostly(last):
                seen = colours()
                if last:
                    print(seen)
                return seen.get(colour, 0) > 10_000

            retry(mostly, 60)
            machine.succeed("rm /home/alice/n")

    with subtest("a question is asked"):
        machine.succeed(as_alice("zenity --question --text 'Shall we?'", background=True))
        machine.wait_for_text("Shall we")
        variants = machine.get_screen_text_variants()
        assert any("Yes" in variant for variant in variants), "\n---\n".join(variants)
        for key in ["tab", "ret"]:
            machine.send_key(key)

names = machine.get_window_names()
print(f"{len(names)} windows are left: {', '.join(sorted(names))}")
text = machine.get_screen_text()
if "Shall" in text:
    raise Exception("the question is still there")
machine.execute(as_alice("labwc --exit") + " || true")
