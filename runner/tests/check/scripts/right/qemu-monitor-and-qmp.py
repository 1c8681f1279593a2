answer = machine.send_monitor_command("info status")
assert "running" in answer
for command in ("info block", "info network"):
    print(machine.send_monitor_command(command))
machine.send_monitor_command("device_add usb-storage,id=stick,drive=stick")
machine.forward_port()
machine.forward_port(8443, 443)
machine.forward_port(host_port=2222, guest_port=22)

assert machine.qmp_client is not None
status = machine.qmp_client.send("query-status")
print(status["return"]["running"])
machine.qmp_client.send("device_del", {"id": "stick"})
event = machine.wait_for_qmp_event(lambda event: event["event"] == "DEVICE_DELETED", timeout=10)
assert event["data"]["device"] == "stick"
