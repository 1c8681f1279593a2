"""Variables of UEFI firmware, in the format in which EDK II's OVMF keeps them on its flash.

The layout is that of EDK II: a firmware volume header, a variable store header, variables with their names and data, each
at a multiple of four bytes, and at 0x41000 the header of the work area for fault-tolerant writes. GUIDs are kept as the
bytes on the flash, with the first three fields in little endian order.
"""

import io
import os
import struct
import uuid

from test_driver.errors import RequestedAssertionFailed

__all__ = ["EfiGuid", "EfiVariable", "EfiVars"]


def on_flash(guid):
    return uuid.UUID(bytes=uuid.UUID(guid).bytes_le)


class EfiGuid:
    gEdkiiVarErrorFlagGuid = on_flash("04b37fe8-f6ae-480b-bdd5-37d98c5e89aa")
    gEfiAuthenticatedVariableGuid = on_flash("aaf32c78-947b-439a-a180-2e144ec37792")
    gEfiCertDbGuid = on_flash("d9bee56e-75dc-49d9-b4d7-b534210f637a")
    gEfiCustomModeEnableGuid = on_flash("c076ec0c-7028-4399-a072-71ee5c448b9f")
    gEfiGlobalVariableGuid = on_flash("8be4df61-93ca-11d2-aa0d-00e098032b8c")
    gEfiImageSecurityDatabaseGuid = on_flash("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
    gEfiIp4Config2ProtocolGuid = on_flash("5b446ed1-e30b-4faa-871a-3654eca36080")
    gEfiIScsiInitiatorNameProtocolGuid = on_flash("59324945-ec44-4c0d-b1cd-9db139df070c")
    gEfiMemoryTypeInformationGuid = on_flash("4c19049f-4137-4dd3-9c10-8b97a83ffdfa")
    gEfiSecureBootEnableDisableGuid = on_flash("f0a30bc7-af08-4556-99c4-001009c93a44")
    gEfiSystemNvDataFvGuid = on_flash("fff12b8d-7696-4c8b-a985-2747075b4f50")
    gEfiVendorKeysNvGuid = on_flash("9073e4e0-60ec-4b6e-9903-4c223c260f3c")
    gIScsiConfigGuid = on_flash("4b47d616-a8d6-4552-9d44-ccad2e0f4cf9")
    gMicrosoftVendorGuid = on_flash("77fa9abd-0359-4d32-bd60-28f4e78f784b")
    gMtcVendorGuid = on_flash("eb704011-1402-11d3-8e77-00a0c969723b")
    mBmHardDriveBootVariableGuid = on_flash("fab7e9e1-39dd-4f2b-8408-e20e906cb6de")


KNOWN_GUIDS = {
    name: guid for name, guid in vars(EfiGuid).items() if isinstance(guid, uuid.UUID)
}


def guid_name(guid):
    for name, known in KNOWN_GUIDS.items():
        if known == guid:
            return name
    return str(guid)


# Attributes of a variable, by the bit that stands for each.
ATTRIBUTES = {
    0x02: "boot_access",
    0x04: "runtime_access",
    0x08: "hardware_error_record",
    0x10: "authenticated_write_access",
    0x20: "time_based_authenticated_write_access",
    0x40: "append_write",
}
NON_VOLATILE = 0x01
ALL_ATTRIBUTES = NON_VOLATILE | sum(ATTRIBUTES)

VARIABLE = struct.Struct("<HBBIQ16sIII16s")
START_OF_VARIABLE = 0x55AA
END_OF_VARIABLES = 0xFFFF
# A state is written by clearing bits of the flash.
DELETED = 0x02
ADDED = 0x3F


class EfiVariable:
    class Flags:
        NON_VOLATILE = 0x1
        BOOTSERVICE_ACCESS = 0x2
        RUNTIME_ACCESS = 0x4
        TIME_BASED_AUTHENTICATED_WRITE_ACCESS = 0x20

    class State:
        VAR_HEADER_VALID_ONLY = 0x7F
        VAR_ADDED = 0x3F

    volatile = False
    boot_access = False
    runtime_access = False
    hardware_error_record = False
    authenticated_write_access = False
    time_based_authenticated_write_access = False
    append_write = False

    def __init__(self, vendor_uuid=None, name=None, data=None, state=None, flags=None):
        self.magic = START_OF_VARIABLE
        self.reserved1 = 0
        self.monotonicCount = 0
        self.timestamp = bytes(16)
        self.pubKeyIdx = 0
        self.state = ADDED if state is None else state ^ 0xFF
        self.flags = flags or 0
        self._attributes_taken = False
        if vendor_uuid is not None:
            self.vendorUUID = uuid.UUID(bytes=vendor_uuid.bytes_le)
        if name is not None:
            self.name = name
            self.nameLen = 2 * len(name) + 2
        if data is not None:
            self.data = data
            self.dataLen = len(data)

    def _take_attributes(self):
        """Has the attributes say what the flags said; flags that no attribute stands for remain."""
        self.volatile = not self.flags & NON_VOLATILE
        for bit, attribute in ATTRIBUTES.items():
            setattr(self, attribute, bool(self.flags & bit))
        self.flags &= ~ALL_ATTRIBUTES
        self._attributes_taken = True

    def _all_flags(self):
        if not self._attributes_taken:
            return self.flags
        bits = [bit for bit, attribute in ATTRIBUTES.items() if getattr(self, attribute)]
        return self.flags | sum(bits) | (0 if self.volatile else NON_VOLATILE)

    @classmethod
    def deserialize(cls, f):
        header = f.read(VARIABLE.size)
        if len(header) < VARIABLE.size:
            return None
        variable = cls()
        (
            variable.magic,
            variable.state,
            variable.reserved1,
            variable.flags,
            variable.monotonicCount,
            variable.timestamp,
            variable.pubKeyIdx,
            variable.nameLen,
            variable.dataLen,
            vendor,
        ) = VARIABLE.unpack(header)
        if variable.magic == END_OF_VARIABLES:
            return None
        if variable.magic != START_OF_VARIABLE:
            raise ValueError(f"not an EFI variable: it starts with {variable.magic:#06x}")
        variable.vendorUUID = uuid.UUID(bytes=vendor)
        variable.name = f.read(variable.nameLen).decode("utf-16le").rstrip("\0")
        variable.data = f.read(variable.dataLen)
        f.read(-f.tell() % 4)
        variable._take_attributes()
        return variable

    @classmethod
    def deserializeFromDocument(cls, vendorID, name, doc):
        variable = cls()
        variable.vendorUUID = KNOWN_GUIDS.get(vendorID) or uuid.UUID(vendorID)
        variable.name = name
        variable.nameLen = 2 * len(name) + 2
        variable.data = doc["Data"]
        variable.dataLen = len(variable.data)
        variable.monotonicCount = doc.get("Monotonic Count", 0)
        variable.pubKeyIdx = doc.get("Public Key Index", 0)
        if doc.get("Timestamp"):
            variable.timestamp = timestamp(doc["Timestamp"])
        variable.flags = doc.get("Flags", 0)
        if not doc.get("Volatile"):
            variable.flags |= NON_VOLATILE
        for bit, attribute in ATTRIBUTES.items():
            title = attribute.replace("_", " ").title()
            if doc.get(title):
                variable.flags |= bit
        variable._take_attributes()
        return variable

    def serialize(self):
        name = self.name.encode("utf-16le") + b"\0\0"
        header = VARIABLE.pack(
            self.magic,
            self.state,
            self.reserved1,
            self._all_flags(),
            self.monotonicCount,
            self.timestamp,
            self.pubKeyIdx,
            len(name),
            len(self.data),
            self.vendorUUID.bytes,
        )
        return header + name + self.data

    @property
    def isDeleted(self):
        return bool((self.state ^ 0xFF) & DELETED)

    def print(self):
        flags = self._all_flags()
        names = ["non_volatile"] if flags & NON_VOLATILE else []
        names += [attribute for bit, attribute in ATTRIBUTES.items() if flags & bit]
        print(f"EFI variable {self.name!r} of {guid_name(self.vendorUUID)}")
        print(f"  state: {self.state:#04x}{', deleted' if self.isDeleted else ''}")
        print(f"  flags: {flags:#x} ({', '.join(names)})")
        print(f"  data ({len(self.data)} bytes): {self.data.hex(' ')}")


def timestamp(time):
    """An EFI_TIME in UTC."""
    fields = (time.year, time.month, time.day, time.hour, time.minute, time.second)
    return struct.pack("<HBBBBBBIhBB", *fields, 0, time.microsecond * 1000, 0, 0, 0)


VOLUME_HEADER = struct.Struct("<16s16sQ4sIHHHBBIIII")
VOLUME_MAGIC = b"_FVH"
VOLUME_FLAGS = 0x4FEFF
VOLUME_REVISION = 2
BLOCK = 0x1000
VOLUME_SIZE = 0x84000
STORE_HEADER = struct.Struct("<16sIBBHI")
STORE_END = 0x40000
STORE_FORMATTED = 0x5A
STORE_HEALTHY = 0xFE
WORK_AREA_AT = 0x41000
WORK_AREA = bytes.fromhex("2b29589e687c7d49a0ce6500fd9f1b952caf2c64feffffffe00f000000000000")


def volume_header():
    def packed(checksum):
        return VOLUME_HEADER.pack(
            bytes(16),
            EfiGuid.gEfiSystemNvDataFvGuid.bytes,
            VOLUME_SIZE,
            VOLUME_MAGIC,
            VOLUME_FLAGS,
            VOLUME_HEADER.size,
            checksum,
            0,
            0,
            VOLUME_REVISION,
            VOLUME_SIZE // BLOCK,
            BLOCK,
            0,
            0,
        )

    # All words of the header add up to nothing.
    words = struct.unpack(f"<{VOLUME_HEADER.size // 2}H", packed(0))
    return packed(-sum(words) & 0xFFFF)


def store_header():
    return STORE_HEADER.pack(
        EfiGuid.gEfiAuthenticatedVariableGuid.bytes,
        STORE_END - VOLUME_HEADER.size,
        STORE_FORMATTED,
        STORE_HEALTHY,
        0,
        0,
    )


def skip_headers(f):
    volume = VOLUME_HEADER.unpack(f.read(VOLUME_HEADER.size))
    if volume[1] != EfiGuid.gEfiSystemNvDataFvGuid.bytes or volume[3] != VOLUME_MAGIC:
        raise ValueError("not a firmware volume with EFI variables")
    f.seek(volume[5])
    store = STORE_HEADER.unpack(f.read(STORE_HEADER.size))
    if store[0] != EfiGuid.gEfiAuthenticatedVariableGuid.bytes:
        raise ValueError("not a store of authenticated EFI variables")
    if store[2:4] != (STORE_FORMATTED, STORE_HEALTHY):
        raise ValueError("the store of EFI variables is not in order")


class EfiVars:
    """The variables of one machine: a file that only a machine that is off lets go of."""

    def __init__(self, state_path, machine):
        self.state_path = state_path
        self.machine = machine

    def _must_be_off(self):
        if self.machine.booted:
            raise RequestedAssertionFailed(
                "the machine runs: its EFI variables can be neither read nor written now"
            )

    def read_content(self):
        self._must_be_off()
        try:
            f = open(self.state_path, "rb")
        except FileNotFoundError:
            return None
        found = {}
        with f:
            skip_headers(f)
            while variable := EfiVariable.deserialize(f):
                if not variable.isDeleted:
                    vendor = guid_name(variable.vendorUUID)
                    found.setdefault(vendor, {})[variable.name] = variable
        return found

    def create_empty(self):
        self._must_be_off()
        if os.path.exists(self.state_path):
            raise RequestedAssertionFailed(f"there are EFI variables already: {self.state_path}")
        self._store({})

    def write(self, add):
        self._must_be_off()
        variables = self.read_content() or {}
        for variable in add:
            vendor = guid_name(variable.vendorUUID)
            variables.setdefault(vendor, {})[variable.name] = variable
        self._store(variables)

    def _store(self, variables):
        flash = io.BytesIO(b"\xff" * VOLUME_SIZE)
        flash.write(volume_header())
        flash.write(store_header())
        for vendor in variables.values():
            for variable in vendor.values():
                flash.write(variable.serialize())
                flash.seek(-flash.tell() % 4, os.SEEK_CUR)
                if flash.tell() > STORE_END:
                    raise ValueError("the EFI variables do not fit into their store")
        flash.seek(WORK_AREA_AT)
        flash.write(WORK_AREA)
        with open(self.state_path, "wb") as f:
            f.write(flash.getvalue())
