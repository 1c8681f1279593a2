//! What scripts import: the driver's own modules, and packages from outside.

use std::fs;
use std::path::Path;

use crate::fake::{printed, run, run_with_packages};

#[test]
fn modules_of_the_driver_can_be_imported() {
    for name in ["test_driver", "test_driver.efi", "test_driver.machine.qmp"] {
        let script = format!("import {name}; print({name}.__name__, {name}.__doc__ is not None)");
        assert_eq!(printed(&script), format!("{name} True"));
    }
}

#[test]
fn modules_have_what_scripts_use_of_them() {
    let script = r#"
from test_driver.errors import MachineError, RequestedAssertionFailed
from test_driver.machine import Machine as M, QemuMachine, BaseMachine, NspawnMachine, retry as r, make_command
from test_driver.machine import MachineDeprecationWrapper
from test_driver.machine.qmp import QMPAPIError
from test_driver.driver import Driver, AssertionTester, get_tmp_dir, pythonize_name
from test_driver.duration import as_seconds, as_timedelta, Duration
from test_driver.vlan import VLan
from test_driver.debug import DebugNop, DebugAbstract
from test_driver.logger import rootlog, CompositeLogger, XMLLogger
from test_driver.polling_condition import PollingCondition, PollingConditionError
print(M is Machine, isinstance(server, QemuMachine), isinstance(server, NspawnMachine), isinstance(driver, Driver))
r(lambda last: True)
print(make_command(["a b", 3]), pythonize_name("a-b"), as_seconds(as_timedelta(2.5)))
print(isinstance(vlan1, VLan), isinstance(debug, DebugNop), isinstance(log, CompositeLogger), type(rootlog).__name__)
try:
    server.succeed("fail x")
except RequestedAssertionFailed as e:
    print(e, isinstance(e, AssertionError))
try:
    server.succeed("die")
except MachineError as e:
    print(e)
error = QMPAPIError("GenericError", "no such thing", "7")
print(error, error.class_name, error.description, isinstance(error, RuntimeError))
wrapped = MachineDeprecationWrapper("use server", server)
print(wrapped.name, isinstance(wrapped, Machine))
wrapped.mark = 5
print(server.mark)
class Tester(AssertionTester):
    pass
with t.assertRaises(RequestedAssertionFailed):
    Tester().assertTrue(False)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn efi_variables_are_written_and_read() {
    let script = r#"
import os, tempfile, types, uuid
from test_driver.efi import EfiGuid, EfiVariable, EfiVars
machine = types.SimpleNamespace(booted=False)
store = EfiVars(os.path.join(tempfile.mkdtemp(), "vars.fd"), machine)
print(store.read_content())
store.create_empty()
print(store.read_content(), os.path.getsize(store.state_path))
vendor = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
flags = EfiVariable.Flags.NON_VOLATILE | EfiVariable.Flags.RUNTIME_ACCESS
store.write([EfiVariable(vendor_uuid=vendor, name="Boot", data=b"\x2a", flags=flags)])
store.write([EfiVariable(vendor_uuid=uuid.UUID(int=5), name="Other✓", data=b"abc", flags=flags)])
found = store.read_content()
print({vendor: list(names) for vendor, names in found.items()})
boot = found["gEfiGlobalVariableGuid"]["Boot"]
boot.print()
print(boot.vendorUUID == uuid.UUID(bytes=vendor.bytes_le) == EfiGuid.gEfiGlobalVariableGuid)
print(boot.runtime_access, boot.boot_access, boot.volatile, boot.flags, boot.isDeleted, boot.dataLen, boot.nameLen)
document = {"Data": b"x", "Boot Access": True, "Time Based Authenticated Write Access": True}
EfiVariable.deserializeFromDocument("gMtcVendorGuid", "MTC", document).print()
with open(store.state_path, "rb") as f:
    header = f.read(72)
print(header[40:44], sum(int.from_bytes(header[i:i + 2], "little") for i in range(0, 72, 2)) & 0xFFFF)
machine.booted = True
for call in (store.read_content, store.create_empty, lambda: store.write([])):
    try:
        call()
    except Exception as e:
        print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(printed(script));
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
    fs::write(path, text).expect("write a file");
}

#[test]
fn packages_from_outside() {
    let folder =
        std::env::temp_dir().join(format!("vmtest-script-packages-{}", std::process::id()));
    let site = folder.join("prefix/lib/python3.13/site-packages");
    write(&site.join("plain/__init__.py"), "from .below import x\n");
    write(&site.join("plain/below.py"), "x = 'ü✓'\n");
    write(&site.join("fast.cpython-313-x86_64-linux-gnu.so"), "");
    write(&site.join("mixed/__init__.py"), "from . import _native\n");
    write(&site.join("mixed/_native.abi3.so"), "");
    write(&folder.join("direct/single.py"), "y = 4\n");
    write(
        &folder.join("direct/broken.py"),
        "def f():\n    raise KeyError(1)\n",
    );
    let script = r#"
import plain, single, sys
print(plain.x, single.y, len(sys.path), sys.path[1].rpartition("prefix")[2])
for name in ("fast", "mixed", "missing"):
    try:
        __import__(name)
    except ImportError as e:
        print(type(e).__name__, str(e).replace(sys.path[1], "…"), e.name)
import broken
broken.f()
"#;
    let path = vec![folder.join("prefix"), folder.join("direct")];
    let run = run_with_packages(&["server"], script, path);
    let text = run.text().replace(&folder.display().to_string(), "…");
    fs::remove_dir_all(&folder).expect("remove the folder");
    insta::assert_snapshot!(text);
}

#[test]
fn errors_of_qmp_are_made_of_replies() {
    let script = r#"
from test_driver.qmp import QMPAPIError
reply = {"error": {"class": "GenericError", "desc": "no such thing"}, "id": 7}
for error in (QMPAPIError(reply), QMPAPIError(reply["error"]), QMPAPIError("GenericError", "no such thing")):
    print(error, error.class_name, error.description, error.transaction_id)
for wrong in ({}, {"error": {"class": "x"}}, {"error": 3}):
    try:
        QMPAPIError(wrong)
    except RuntimeError as e:
        print(e)
"#;
    insta::assert_snapshot!(printed(script));
}
