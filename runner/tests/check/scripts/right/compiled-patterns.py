# option: enableOCR
import re

pattern = re.compile(r"login:\s*$", re.MULTILINE | re.IGNORECASE)
machine.wait_for_console_text(pattern)
machine.wait_for_console_text(re.compile("ready", re.I), timeout=20)
machine.wait_until_tty_matches("1", re.compile(r"\$ $"))
machine.wait_for_window(re.compile("Fire.*"))
machine.wait_for_text(re.compile("(?i)welcome"))
