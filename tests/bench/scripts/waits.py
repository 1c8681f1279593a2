# How long after an event a wait for it is over, for events 5.0 to 5.9 s after the wait began: whoever looks once a second
# is caught at ten points of that second. `events` is the program that makes the events in the guest.
import time

from measure import Results, compare_clocks

results = Results(driver.out_dir)
uncertainties = []
machine.wait_for_unit("multi-user.target")
machine.succeed("mkdir -p /run/bench /run/systemd/system")
machine.copy_from_host(events, "/run/bench/events.pl")
# A unit that is active when its sleep is over; systemd knows when that was.
unit = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sleep 5.%i
"""
source = driver.out_dir / "bench@.service"
source.write_text(unit)
machine.copy_from_host(source, "/run/systemd/system/bench@.service")
source.unlink()
machine.succeed("systemctl daemon-reload")


def start_events(kind):
    machine.succeed(f"systemd-run --quiet --unit=events-{kind} perl /run/bench/events.pl {kind}")


def start_units():
    machine.succeed("systemctl start --no-block " + " ".join(f"bench@{number}" for number in range(10)))


def times_of_events(kind):
    times = machine.wait_until_succeeds(f"[ $(wc -l < /run/bench/times-{kind}) = 10 ] && cat /run/bench/times-{kind}")
    return [float(line) for line in times.splitlines()]


def times_of_units(_kind):
    # Microseconds.
    def active(number):
        path = f"/org/freedesktop/systemd1/unit/bench_40{number}_2eservice"
        shown = machine.succeed(
            f"busctl get-property org.freedesktop.systemd1 {path} org.freedesktop.systemd1.Unit ActiveEnterTimestamp"
        )
        return int(shown.split()[1]) / 1e6

    return [active(number) for number in range(10)]


def measure(name, kind, wait, start=start_events, times=times_of_events):
    def ended(number):
        def run():
            wait(number)
            return time.time()

        return run

    difference, uncertain = compare_clocks(machine)
    uncertainties.append(uncertain * 1000)
    begin = (lambda: start(kind)) if start is start_events else start
    _, *ends = parallel(begin, *(ended(number) for number in range(10)))
    events = times(kind)
    results.add(name, "ms", [(end + difference - event) * 1000 for end, event in zip(ends, events)])


measure("wait_for_file", "file", lambda number: machine.wait_for_file(f"/run/bench/file-{number}", timeout=60))
measure("wait_for_open_port", "port", lambda number: machine.wait_for_open_port(7000 + number, timeout=60))
measure(
    "wait_for_console_text",
    "console",
    lambda number: machine.wait_for_console_text(f"bench-event-{number}-happened", timeout=60),
)
# A unit that is not started yet has failed for who waits for it: units start first.
start_units()
measure(
    "wait_for_unit",
    "unit",
    lambda number: machine.wait_for_unit(f"bench@{number}.service", timeout=60),
    start=lambda: None,
    times=times_of_units,
)

results.add("clocks of host and guest agree within", "ms", uncertainties)
