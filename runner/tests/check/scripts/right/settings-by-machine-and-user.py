# machines: machine, machine2, machine3
from typing import Dict, Optional


def variables(machine: Machine, user: Optional[str] = None) -> Dict[str, str]:
    """
    The variables of a login shell.

    Their names are "UPPER_CASE" already; the values may have lines of their own.
    """
    shell = f"su --login {user}" if user else "bash --login"
    text = machine.succeed(f"{shell} -c 'env --null'")
    entries = (entry.partition("=") for entry in text.split("\0"))
    return {name: value for name, separator, value in entries if separator}


start_all()

with subtest("without a setting"):
    for user in (None, "alice"):
        assert not [name for name in variables(machine, user) if name.startswith("APP_")]

with subtest("the same for all"):
    for node in (machine2, machine3):
        assert variables(node)["APP_MODE"] == "quiet"

with subtest("and one for alice"):
    mine = variables(machine3, "alice")
    assert mine.get("APP_MODE") == "loud", mine
    mine = variables(machine3, user="alice")
    assert mine.keys() - variables(machine3).keys() <= {"APP_COLOUR", "HOME", "USER"}
