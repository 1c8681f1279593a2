# Windows. The guest has no X server, but what is asked of one: a socket, a graphical session, and a list of windows.

TREE = r"""
     0x200001 "xterm": ("xterm" "XTerm")  10x20+0+0  +0+0
     0x200003 (has no name): ()  1x1+-1+-1  +-1+-1
     0x200005 "say "hello" twice": ("a" "B")  1x1+0+0  +0+0
"""


def show_windows(tree):
    file = text_file(text=tree)
    debian.copy_from_host(file, "/run/windows-new")
    debian.succeed("mv /run/windows-new /run/windows")


fails(
    "Machine.wait_for_x",
    "says when the time is over",
    lambda: debian.wait_for_x(timeout=BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after .* \\(timeout=0.3\\): waiting for the X11 server$",
)
fails(
    "Machine.get_window_names",
    "needs an X server",
    lambda: debian.get_window_names(),
    RequestedAssertionFailed,
    "^command `xwininfo -root -tree` failed \\(exit code 1\\)$",
)
good(
    "Machine.wait_for_x",
    "waits for the server and the session",
    lambda: at_once(
        lambda: debian.wait_for_x(timeout=SOON),
        lambda: debian.succeed(
            "systemctl start screen.socket",
            "logger --tag systemd 'Reached target Current graphical user session.'",
        ),
    ),
)
good(
    "Machine.get_window_names",
    "returns the names of the windows that have one",
    lambda: [show_windows(TREE), debian.get_window_names()],
    [None, ["xterm", 'say "hello" twice']],
)
good(
    "Machine.wait_for_window",
    "waits for a window",
    lambda: at_once(
        lambda: debian.wait_for_window("^edit.r$", SOON),
        lambda: show_windows(TREE.replace("xterm", "editor")),
    ),
)
fails(
    "Machine.wait_for_window",
    "says when the time is over",
    lambda: debian.wait_for_window("browser", timeout=BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after .* \\(timeout=0.3\\): waiting for a window to appear$",
)
