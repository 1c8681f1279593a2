from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from test_driver.machine import QemuMachine


def check(node: "QemuMachine") -> None:
    node.wait_for_unit("multi-user.target")


check(machine)
