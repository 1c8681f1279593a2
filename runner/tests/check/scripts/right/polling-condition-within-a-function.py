def exercise(name):
    @polling_condition
    def running():
        machine.succeed(f"systemctl is-active app-{name}")

    machine.systemctl(f"start app-{name}")
    running.wait()
    with running:
        machine.succeed(f"app-client {name}")


for name in ["red", "green"]:
    exercise(name)
