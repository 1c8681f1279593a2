# The modules that scripts import.

MODULES = """
    test_driver
    test_driver.debug
    test_driver.driver
    test_driver.duration
    test_driver.efi
    test_driver.errors
    test_driver.group
    test_driver.logger
    test_driver.machine
    test_driver.machine.console
    test_driver.machine.ocr
    test_driver.machine.qmp
    test_driver.machine.screen
    test_driver.polling_condition
    test_driver.qmp
    test_driver.snapshot
    test_driver.vlan
"""


def missing_in(module):
    imported = importlib.import_module(module)
    return [name for name in api()["modules"][module] if not hasattr(imported, name)]


for module in MODULES.split():
    good(module, "has all of its names", lambda module=module: missing_in(module), [])
    fails(
        module,
        "has no other names",
        lambda module=module: importlib.import_module(module).no_such_name,
        AttributeError,
        "has no attribute 'no_such_name'",
    )

fails(
    "test_driver",
    "has no other modules",
    lambda: importlib.import_module("test_driver.none"),
    ImportError,
    "test_driver.none",
)
fails(
    "test_driver.machine.ocr",
    "pictures are read by their machine",
    lambda: importlib.import_module("test_driver.machine.ocr").perform_ocr_on_screenshot("x.png"),
    MachineError,
    "use get_screen_text\\(\\)",
)
