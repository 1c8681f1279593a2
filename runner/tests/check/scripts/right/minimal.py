machine.wait_for_unit("default.target")
assert "Linux" in machine.succeed("uname")
