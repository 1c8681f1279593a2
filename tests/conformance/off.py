# Before anything is started.

good("Machine.booted", "is false before the first start", lambda: small.booted, False)
good("Machine.connected", "is false before the first start", lambda: small.connected, False)
good("Machine.is_up", "is false before the first start", lambda: small.is_up(), False)
good("Machine.pid", "is None before the first start", lambda: small.pid)
good("Machine.process", "is None before the first start", lambda: small.process)
good("Machine.shell", "is None before the first start", lambda: small.shell)
good("Machine.qmp_client", "is None before the first start", lambda: small.qmp_client)
good("Machine.get_console_log", "is empty before the first start", lambda: small.get_console_log(), "")

NEEDS_QEMU = {
    "send_console": lambda: small.send_console("\n"),
    "send_monitor_command": lambda: small.send_monitor_command("info name"),
    "wait_for_monitor_prompt": lambda: small.wait_for_monitor_prompt(),
    "send_key": lambda: small.send_key("a"),
    "send_chars": lambda: small.send_chars("a"),
    "screenshot": lambda: small.screenshot("off"),
    "get_screen_text": lambda: small.get_screen_text(),
    "get_screen_text_variants": lambda: small.get_screen_text_variants(),
    "wait_for_text": lambda: small.wait_for_text("a", timeout=BRIEFLY),
    "forward_port": lambda: small.forward_port(),
    "block": lambda: small.block(),
    "unblock": lambda: small.unblock(),
}
for method, call in NEEDS_QEMU.items():
    what = "needs a machine that runs"
    fails(f"Machine.{method}", what, call, MachineError, "^small: the machine does not run$")

fails(
    "Machine.wait_for_qmp_event",
    "needs a machine that was started",
    lambda: small.wait_for_qmp_event(lambda event: True, timeout=BRIEFLY),
    RuntimeError,
    "^QMP API is not ready yet, is the VM ready\\?$",
)

ENDS = {
    "shutdown": lambda: small.shutdown(),
    "crash": lambda: small.crash(),
    "release": lambda: small.release(),
    "wait_for_shutdown": lambda: small.wait_for_shutdown(),
}
for method, call in ENDS.items():
    good(f"Machine.{method}", "does nothing with a machine that is off", call)
good("Machine.booted", "is still false after those", lambda: small.booted, False)
