if os.environ.get("DEBUG"):
    debug.breakpoint()
    machine.shell_interact()
machine.wait_for_unit("multi-user.target")
