log.info("about to begin")
log.debug("with %s", {"a": 1})
log.warning("careful")
log.error("not good")
log.log("plain", {"machine": "none"})
log.print_serial_logs(False)
with log.nested("a block"):
    machine.log("inside")
with machine.nested("another block"):
    machine.log(f"still inside {machine.name}")
with log.subtest("a subtest by the log"):
    pass
serial_stdout_off()
machine.succeed("dmesg > /dev/ttyS0")
serial_stdout_on()
print("plain", "print", sep=", ", flush=True)
