number: int = "three"  # type: ignore
other: str = 4  # ty: ignore[invalid-assignment]
machine.suceed("true")  # ty: ignore[unresolved-attribute]
machine.succeed(1)  # type: ignore # a number
machine.wait_for_open_port(
    [80],  # ty: ignore
)
