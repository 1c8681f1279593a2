"""The driver, and what belongs to a test as a whole."""

import os
import tempfile
import threading
import unittest
from pathlib import Path
from types import SimpleNamespace

from _vmtest import Driver, RequestedAssertionFailed, pythonize_name

__all__ = ["AssertionTester", "Driver", "get_tmp_dir", "pythonize_name"]


class AssertionTester(unittest.TestCase):
    """The assertions of unittest."""

    failureException = RequestedAssertionFailed


def get_tmp_dir():
    path = Path(os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir()))
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def config_of(driver):
    names = [machine.name for machine in driver.machines]
    return SimpleNamespace(
        vms={name: SimpleNamespace(name=name, start_script=None) for name in names},
        containers={},
        vlans=[vlan.nr for vlan in driver.vlans],
        test_script=driver.tests,
        global_timeout=driver.global_timeout,
        enable_ssh_backdoor=False,
    )


def idle_timer():
    return threading.Timer(threading.TIMEOUT_MAX, lambda: None)
