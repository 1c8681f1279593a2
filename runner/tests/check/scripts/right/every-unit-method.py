machine.wait_for_unit("nginx.service")
machine.wait_for_unit("nginx")
machine.wait_for_unit("default.target", "alice")
machine.wait_for_unit("app.service", user="alice", timeout=60)
machine.wait_for_unit("slow.service", timeout=600, attempt_timeout=10)
machine.wait_for_unit_active_state("oneshot.service", "inactive", timeout=20)
machine.require_unit_state("nginx.service")
machine.require_unit_state("broken.service", "failed")
machine.require_unit_state("broken.service", require_state="failed")

info = machine.get_unit_info("nginx.service")
assert info["ActiveState"] == "active"
assert info.get("SubState", "") == "running"
assert machine.get_unit_info("app.service", "alice")["LoadState"] == "loaded"
assert machine.get_unit_property("nginx.service", "Type") == "forking"
assert machine.get_unit_property("app.service", "MainPID", user="alice").isdigit()

status, out = machine.systemctl("is-active nginx.service")
assert status == 0, out
machine.systemctl("start network-online.target")
machine.systemctl("restart app", "alice")
machine.start_job("nginx.service")
machine.stop_job("nginx.service")
code, text = machine.start_job("app.service", user="alice")
print(code, text)
machine.wait_for_job("nginx")
