status, out = machine.execute("systemctl status app")
assert status in [0, 3], out
_, out = machine.execute("cat /etc/hosts")
assert "localhost" in out
rc, _ = machine.execute("test -e /nowhere")
if rc > 0:
    print("as it should be")
result = machine.execute("exit 2")
assert result[0] == 2 and result[1] == ""
print(machine.execute("date")[1].strip())
(code, text) = machine.systemctl("is-enabled app")
machine.log(machine.execute("journalctl -u app")[1])
ok = machine.execute("true")[0] == 0
assert ok
described = machine.execute("systemctl cat app", check_return=False)[1]
t.assertIn("ExecStart", described)
