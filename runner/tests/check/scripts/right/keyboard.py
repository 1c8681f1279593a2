machine.send_key("ctrl-alt-delete")
machine.send_key("ret", delay=0.1)
machine.send_key("a", 0.2, False)
machine.send_key("b", log=False)
machine.send_chars("hello world\n")
machine.send_chars("slow\n", delay=0.5)
for key in ["alt-f2", "tab", "shift-tab", "esc"]:
    machine.send_key(key)
