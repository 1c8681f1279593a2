# The screen, which shows the first terminal, and the keyboard, which types on it.


def picture(name, path):
    """The PNG's width and height."""
    t.assertIsNone(debian.screenshot(name))
    header = path.read_bytes()[:24]
    t.assertEqual(header[:8], b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


@good("Machine.screenshot", "writes a PNG")
def _():
    width, height = picture("screen", driver.out_dir / "screen.png")
    t.assertGreaterEqual((width, height), (640, 400))
    t.assertEqual(picture("screen.image", driver.out_dir / "screen.image"), (width, height))
    elsewhere = Path(tempfile.mkdtemp()) / "screen.png"
    t.assertEqual(picture(str(elsewhere), elsewhere), (width, height))


fails(
    "Machine.screenshot",
    "there must be such a folder",
    lambda: debian.screenshot("/no/folder/screen.png"),
    RequestedAssertionFailed,
    "no screenshot: .*/no/folder/screen.png",
)

# Letters that no OCR takes for others.
WORDS = "HAPPY WHALES"


@good("Machine.wait_for_text", "waits for a text on the screen")
def _():
    at_once(
        lambda: debian.wait_for_text("HAPPY +WHALES", timeout=4 * SOON),
        lambda: write_on_tty(f"{WORDS}\\n\\n{WORDS}\\n\\n{WORDS}\\n"),
    )


good("Machine.get_screen_text", "reads the screen", lambda: debian.get_screen_text(), re.compile(WORDS))
good(
    "Machine.get_screen_text_variants",
    "reads several renderings of the screen",
    lambda: debian.get_screen_text_variants(),
    lambda texts: len(texts) > 1 and any(WORDS in text for text in texts),
)
fails(
    "Machine.wait_for_text",
    "says when the time is over",
    lambda: debian.wait_for_text("never shown", timeout=BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after .* \\(timeout=0.3\\): waiting for never shown to appear on screen$",
)
fails(
    "Machine.wait_for_text",
    "the pattern must be one",
    lambda: debian.wait_for_text("("),
    re.error,
    "unterminated subpattern",
)


def typed(press):
    """What a reader of the terminal gets when the keys have been pressed."""
    write_on_tty("")
    debian.succeed("rm -f /run/typed")
    debian.execute("exec head -n 1 < /dev/tty1 > /run/typed", check_output=False)
    # Keys that are pressed sooner are lost: the program runs when the terminal is open.
    debian.wait_until_succeeds("pgrep -x head", timeout=SOON)
    t.assertIsNone(press())
    debian.wait_until_fails("pgrep -x head", timeout=SOON)
    return debian.succeed("cat /run/typed")


LAYOUT = "aZ 09 `~!@#$%^&*()-_=+[{]}\\\\|;:'\",<.>/?"

good("Machine.send_chars", "types a text", lambda: typed(lambda: debian.send_chars(f"{LAYOUT}\n")), f"{LAYOUT}\n")
good(
    "Machine.send_chars",
    "the time between keys may be given",
    lambda: typed(lambda: debian.send_chars("slow\n", 0.05)),
    "slow\n",
)
good(
    "Machine.send_chars",
    "what the layout does not have is left out, with a warning",
    lambda: typed(lambda: debian.send_chars("a\u00fcb\n")),
    "ab\n",
)


def press_keys():
    debian.send_key("shift-a")
    debian.send_key("b", 0, log=False)
    debian.send_key("x", delay=datetime.timedelta(milliseconds=20))
    debian.send_key("backspace")
    return debian.send_key("ret")


good("Machine.send_key", "presses keys by their names", lambda: typed(press_keys), "Ab\n")
good(
    "Machine.send_key",
    "a key that QEMU does not have is left out, with a warning",
    lambda: debian.send_key("no-such-key"),
)
