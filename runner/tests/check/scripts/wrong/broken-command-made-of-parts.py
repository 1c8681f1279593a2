# expect: 3:5 warning shell-syntax
machine.succeed(
    "while true; do "
    "sleep 1; "
    "echo never done"
)
