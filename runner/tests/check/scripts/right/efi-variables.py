import uuid

from test_driver.efi import EfiVariable

machine.create_efi_vars()
variable = EfiVariable(uuid.uuid4(), "Example", b"\x01\x02")
machine.write_efi_vars([variable])
machine.start()
machine.wait_for_unit("multi-user.target")
machine.shutdown()
for found in machine.read_efi_vars():
    print(found.name, found.data.hex(), found.isDeleted)
machine.dump_efi_vars()
