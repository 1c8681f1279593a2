machine.execute("reboot")  # vmtest: ignore[ignored-status]
# vmtest: ignore[ignored-status]
machine.execute("systemctl restart app")
machine.wait_for_unit("multi-user")  # vmtest: ignore[unit-without-suffix]
machine.suceed("true")  # vmtest: ignore[unresolved-attribute]
# vmtest: ignore[shell-syntax, unresolved-attribute]
machine.suceed("if true; then")
machine.succeed("if true; then")  # vmtest: ignore[shell-syntax]
assert (machine.is_up(), "it is down")  # vmtest: ignore[assert-on-tuple]
machine.wait_for_text("Hello")  # vmtest: ignore[ocr-not-enabled]
machine.wait_for_console_text("(")  # vmtest: ignore[invalid-regex]
elsewhere.succeed("true")  # vmtest: ignore[unknown-machine]
print(nowhere)  # vmtest: ignore[unresolved-reference]
machine.succeed(
    # vmtest: ignore[shell-syntax]
    "if true; then",
    "echo (",  # vmtest: ignore[shell-syntax]
)
import ssl  # vmtest: ignore[unavailable-module]
