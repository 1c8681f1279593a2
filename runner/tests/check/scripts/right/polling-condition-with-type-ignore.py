@polling_condition
def editor_running():
    machine.succeed("pgrep -x editor")


editor_running.wait()  # type: ignore[union-attr]
with editor_running:  # type: ignore[union-attr]
    machine.send_key("ctrl-n")
