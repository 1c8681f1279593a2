original = machine.execute


def loud(command, **kwargs):
    print("running", command)
    return original(command, **kwargs)


machine.execute = loud  # type: ignore
machine.role = "leader"  # type: ignore
machine.execute("true || true")
machine.succeed("hostname")
