# expect: 3:5 warning shell-syntax
machine.succeed(
    """
    for file in /etc/*; do
        if test -f "$file"; then
            echo "$file"
    done
    """
)
