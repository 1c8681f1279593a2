"""What the scripts of tests/bench have in common: their results, and the time."""

import json
import time


class Results:
    """Measurements, in a file of the test's output that `cargo xtask bench` reads."""

    def __init__(self, out_dir):
        self._path = out_dir / "bench.json"
        self._measurements = []

    def add(self, name, unit, samples):
        """Adds samples of one figure."""
        self._measurements.append({"name": name, "unit": unit, "samples": samples})
        self._path.write_text(json.dumps({"measurements": self._measurements}))


def seconds(call):
    """How long a call takes."""
    start = time.monotonic()
    call()
    return time.monotonic() - start


def compare_clocks(machine):
    """Seconds that the guest's clock is ahead of the host's, and how wrong that can be: from the shortest of some round trips."""
    best = None
    for _ in range(20):
        before = time.time()
        guest = float(machine.succeed("echo $EPOCHREALTIME"))
        after = time.time()
        if best is None or after - before < best[0]:
            best = (after - before, guest - (before + after) / 2)
    round_trip, difference = best
    return difference, round_trip / 2
