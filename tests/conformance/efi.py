# The variables of UEFI firmware: a file, of a machine that is off.

from test_driver.efi import EfiVariable, EfiVars

VENDOR = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
UEFI = "gEfiGlobalVariableGuid"


def greeting(data=b"hello"):
    return EfiVariable(vendor_uuid=VENDOR, name="Greeting", data=data, flags=7)


def firmware():
    """A machine without variables, which is off."""
    return create_machine("qemu", name="firmware")


@good(
    "Machine.create_efi_vars Machine.read_efi_vars Machine.write_efi_vars EfiVars.create_empty EfiVars.read_content EfiVars.write",
    "write variables, and read them back",
)
def _():
    machine = firmware()
    t.assertEqual((machine.read_efi_vars(), machine.efi_vars.read_content()), ([], None))
    t.assertIsNone(machine.create_efi_vars())
    t.assertEqual((machine.read_efi_vars(), machine.efi_vars.read_content()), ([], {}))
    t.assertIsNone(machine.write_efi_vars([greeting(b"old")]))
    t.assertIsNone(machine.write_efi_vars([greeting()]))
    t.assertEqual([(variable.name, variable.data) for variable in machine.read_efi_vars()], [("Greeting", b"hello")])
    t.assertEqual(machine.efi_vars.read_content()[UEFI]["Greeting"].data, b"hello")
    again = EfiVars(machine.efi_vars_path, machine)
    t.assertIsNone(again.write([EfiVariable(vendor_uuid=VENDOR, name="Second", data=b"2", flags=7)]))
    t.assertEqual(sorted(machine.efi_vars.read_content()[UEFI]), ["Greeting", "Second"])


@good("Machine.dump_efi_vars EfiVariable.print", "print the variables")
def _():
    machine = firmware()
    machine.write_efi_vars([greeting()])
    t.assertIsNone(machine.dump_efi_vars())
    t.assertIsNone(machine.read_efi_vars()[0].print())


RUNS = "^the machine runs: its EFI variables can be neither read nor written now$"
WHILE_IT_RUNS = {
    "Machine.create_efi_vars": lambda: debian.create_efi_vars(),
    "Machine.read_efi_vars": lambda: debian.read_efi_vars(),
    "Machine.write_efi_vars": lambda: debian.write_efi_vars([greeting()]),
    "Machine.dump_efi_vars": lambda: debian.dump_efi_vars(),
    "EfiVars.create_empty": lambda: debian.efi_vars.create_empty(),
    "EfiVars.read_content": lambda: debian.efi_vars.read_content(),
    "EfiVars.write": lambda: debian.efi_vars.write([greeting()]),
}
for name, call in WHILE_IT_RUNS.items():
    fails(name, "the machine must be off", call, RequestedAssertionFailed, RUNS)


@fails(
    "Machine.create_efi_vars",
    "there must be none",
    raises=RequestedAssertionFailed,
    text="^there are EFI variables already: ",
)
def _():
    machine = firmware()
    machine.create_efi_vars()
    machine.create_efi_vars()


good(
    "EfiVars.state_path EfiVars.machine",
    "are what it is made of",
    lambda: [debian.efi_vars.state_path == debian.efi_vars_path, debian.efi_vars.machine is debian],
    [True, True],
)
cannot_fail("EfiVars.state_path EfiVars.machine", "attributes")


@good("EfiVariable.serialize EfiVariable.deserialize", "write a variable, and read it back")
def _():
    flash = greeting().serialize()
    read = EfiVariable.deserialize(io.BytesIO(flash + b"\0" * 8))
    t.assertEqual((read.name, read.data, read.serialize()), ("Greeting", b"hello", flash))
    t.assertIsNone(EfiVariable.deserialize(io.BytesIO(b"\xff" * 100)))


fails("EfiVariable.serialize", "there must be a name", lambda: EfiVariable().serialize(), AttributeError, "name")
fails("EfiVariable.print", "there must be a name", lambda: EfiVariable().print(), AttributeError, "name")
fails(
    "EfiVariable.deserialize",
    "it must begin as one",
    lambda: EfiVariable.deserialize(io.BytesIO(b"x" * 100)),
    ValueError,
    "^not an EFI variable: it starts with 0x7878$",
)
good(
    "EfiVariable.deserializeFromDocument",
    "makes a variable of a dictionary",
    lambda: EfiVariable.deserializeFromDocument(UEFI, "X", {"Data": b"1", "Boot Access": True}),
    lambda made: (made.name, made.data, made.boot_access, made.runtime_access, made.volatile)
    == ("X", b"1", True, False, False),
)
fails(
    "EfiVariable.deserializeFromDocument",
    "there must be data",
    lambda: EfiVariable.deserializeFromDocument(UEFI, "X", {}),
    KeyError,
    "Data",
)

# What a variable of the store says of itself.
FIELDS = {
    "name": "Greeting",
    "nameLen": 18,
    "data": b"hello",
    "dataLen": 5,
    "vendorUUID": uuid.UUID(bytes=VENDOR.bytes_le),
    "state": 0x3F,
    "flags": 0,
    "volatile": False,
    "boot_access": True,
    "runtime_access": True,
    "hardware_error_record": False,
    "authenticated_write_access": False,
    "time_based_authenticated_write_access": False,
    "append_write": False,
    "isDeleted": False,
    "magic": 0x55AA,
    "reserved1": 0,
    "monotonicCount": 0,
    "timestamp": bytes(16),
    "pubKeyIdx": 0,
}
FIELD_NAMES = " ".join(f"EfiVariable.{field}" for field in FIELDS)


@good(FIELD_NAMES, "are those that were written")
def _():
    machine = firmware()
    machine.write_efi_vars([greeting()])
    read = machine.read_efi_vars()[0]
    t.assertEqual({field: getattr(read, field) for field in FIELDS}, FIELDS)


good(
    "EfiVariable.Flags EfiVariable.State",
    "are the constants",
    lambda: (EfiVariable.Flags.NON_VOLATILE, EfiVariable.State.VAR_ADDED),
    (1, 0x3F),
)
cannot_fail(f"{FIELD_NAMES} EfiVariable.Flags EfiVariable.State", "attributes")
