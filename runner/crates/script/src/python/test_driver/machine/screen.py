"""The screen, as a picture for scripts that look at it themselves."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

from test_driver.errors import MachineError


@contextmanager
def managed_screenshot(machine):
    """A file with the picture in the format PPM, for one block."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ppm"
        reply = machine.send_monitor_command(f"screendump {path}")
        if not path.exists():
            raise MachineError(f"{machine.name}: no picture of the screen: {reply.strip()}")
        yield path
