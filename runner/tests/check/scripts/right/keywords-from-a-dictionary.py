options = {"timeout": 10}
machine.wait_until_succeeds("true", **options)
machine.succeed("true", "false || true", **options)
