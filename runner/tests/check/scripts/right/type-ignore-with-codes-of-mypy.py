# mypy's names of rules, from when mypy checked test scripts
text: str = 3  # type: ignore[assignment]
machine.succeed(1)  # type: ignore[arg-type] # a number
machine.qmp_client.send("query-status")  # type: ignore[union-attr]
