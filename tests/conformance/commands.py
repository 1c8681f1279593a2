# Commands: statuses, outputs, environment, time-outs.

good(
    "Machine.execute",
    "returns the status and the standard output",
    lambda: debian.execute("echo out; echo err >&2; exit 3"),
    (3, "out\n"),
)
good("Machine.execute", "a signal counts from 128 on", lambda: debian.execute("kill -TERM $$"), (143, ""))
good(
    "Machine.execute",
    "check_return=False gives no status",
    lambda: debian.execute("echo out; exit 3", check_return=False),
    (-1, "out\n"),
)


@good("Machine.execute", "check_output=False only starts the command")
def _():
    debian.succeed("mkfifo /run/detached")
    t.assertEqual(debian.execute("read go < /run/detached; touch /run/detached-done", check_output=False), (-2, ""))
    debian.fail("test -e /run/detached-done")
    debian.succeed("echo go > /run/detached")
    debian.wait_for_file("/run/detached-done", timeout=SOON)


fails(
    "Machine.execute",
    "takes one command, which is a string",
    lambda: debian.execute(["echo", "a"]),
    TypeError,
    "^a command is a string, got list .*; several commands are given one by one",
)
fails(
    "Machine.execute",
    "a bool is no time-out",
    lambda: debian.execute("true", timeout=True),
    TypeError,
    "^expected a duration, got bool: True$",
)

good(
    "Machine.succeed",
    "returns the joined outputs",
    lambda: debian.succeed("echo one", "echo two >&2", "echo three"),
    "one\nthree\n",
)
good("Machine.succeed", "there may be no command at all", lambda: debian.succeed(), "")
good("Machine.succeed", "long commands arrive whole", lambda: len(debian.succeed(f"echo {'x' * 300000}")), 300001)


@fails(
    "Machine.succeed",
    "says how a command failed",
    raises=RequestedAssertionFailed,
    text="^command `echo out; cat /no/file` failed \\(exit code 1\\)$",
)
def _():
    failure = raised(lambda: debian.succeed("true", "echo out; cat /no/file", "touch /run/not-reached"))
    t.assertRegex("\n".join(failure.__notes__), "stderr:\n  cat: /no/file: No such file")
    debian.fail("test -e /run/not-reached")
    raise failure


good(
    "Machine.fail",
    "returns the joined outputs",
    lambda: debian.fail("echo one; false", "echo two; exit 2"),
    "one\ntwo\n",
)
fails(
    "Machine.fail",
    "a command must not succeed",
    lambda: debian.fail("false", "true"),
    RequestedAssertionFailed,
    "^command `true` unexpectedly succeeded$",
)

good(
    "Machine.wait_until_succeeds",
    "repeats the command, and returns the last output",
    lambda: debian.wait_until_succeeds(
        'echo try >> /run/tries; test "$(wc -l < /run/tries)" = 4; echo done', timeout=SOON
    ),
    "done\n",
)
good(
    "Machine.wait_until_succeeds",
    "time-outs may be timedeltas",
    lambda: debian.wait_until_succeeds("echo yes", timeout=datetime.timedelta(minutes=1)),
    "yes\n",
)
good(
    "Machine.wait_until_succeeds",
    "each try may have its own time-out",
    lambda: debian.wait_until_succeeds(
        "mkdir /run/first-try 2> /dev/null && sleep 98760; echo second", timeout=SOON, attempt_timeout=BRIEFLY
    ),
    "second\n",
)


@fails(
    "Machine.wait_until_succeeds",
    "says what the last try was",
    raises=RequestedAssertionFailed,
    text="^action timed out after \\d\\.\\d\\d seconds \\(timeout=0.3\\): waiting for success: echo no; false$",
)
def _():
    failure = raised(lambda: debian.wait_until_succeeds("echo no; false", timeout=BRIEFLY))
    t.assertRegex("\n".join(failure.__notes__), "^last try: exit code 1\noutput:\n  no$")
    raise failure


good(
    "Machine.wait_until_fails",
    "repeats the command, and returns the last output",
    lambda: debian.wait_until_fails(
        'echo try >> /run/fails; echo "$(wc -l < /run/fails)"; test "$(wc -l < /run/fails)" -lt 3', timeout=SOON
    ),
    "3\n",
)
fails(
    "Machine.wait_until_fails",
    "says when the time is over",
    lambda: debian.wait_until_fails("true", timeout=BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after \\d\\.\\d\\d seconds \\(timeout=0.3\\): waiting for failure: true$",
)


@good("Machine.sleep", "sleeps in the guest")
def _():
    for pause in (lambda: debian.sleep(0.5), lambda: debian.sleep(duration=datetime.timedelta(seconds=0.5))):
        before = uptime()
        t.assertIsNone(pause())
        t.assertGreaterEqual(uptime() - before, 0.5)


def uptime():
    return float(debian.succeed("cut -d ' ' -f 1 /proc/uptime"))


fails(
    "Machine.sleep",
    "needs to know for how long",
    lambda: debian.sleep(),
    TypeError,
    "missing required argument 'duration'",
)
fails(
    "Machine.sleep", "takes one time", lambda: debian.sleep(1, duration=2), TypeError, "got both 'duration' and 'secs'"
)

# What commands find.

good("Machine.execute", "errexit is set", lambda: debian.execute("false; echo not reached"), (1, ""))
good("Machine.execute", "pipefail is set", lambda: debian.execute("false | cat"), (1, ""))
good("Machine.execute", "a pipe that goes well is well", lambda: debian.execute("echo a | cat"), (0, "a\n"))
good(
    "Machine.execute",
    "nounset is set",
    lambda: debian.execute("(echo $no_such_variable) 2>&1 || exit 7"),
    lambda result: result[0] == 7 and "no_such_variable: unbound variable" in result[1],
)
good(
    "Machine.succeed",
    "the environment is that of a root login",
    lambda: debian.succeed('echo "$HOME $USER $LOGNAME $(id -un)"; echo "$PATH" | tr : "\\n" | grep -x /usr/sbin'),
    "/root root root root\n/usr/sbin\n",
)
good("Machine.succeed", "/etc/profile was read", lambda: debian.succeed("echo $OF_THE_PROFILE"), "yes\n")
good(
    "Machine.succeed", "the input is empty", lambda: debian.succeed("readlink /proc/self/fd/0; wc -c"), "/dev/null\n0\n"
)
good("Machine.succeed", "the folder is /tmp", lambda: debian.succeed("pwd"), "/tmp\n")
good(
    "Machine.succeed",
    "a variable does not outlive its command",
    lambda: debian.succeed("x=1", "echo ${x:-none}"),
    "none\n",
)

# Time-outs.


@good("Machine.execute", "a command is killed with all of its children when its time is over")
def _():
    command = "(sleep 98761 & sleep 98762) & yes | head -c 1000G > /dev/null; sleep 98763"
    started = time.monotonic()
    t.assertEqual(debian.execute(command, timeout=2), (124, ""))
    t.assertLess(time.monotonic() - started, SOON)
    debian.fail("pgrep -x 'yes|head'")
    debian.fail("pgrep -f '^sleep 9876[0-9]'")


@good("Machine.execute", "what a command wrote before its time was over is kept")
def _():
    t.assertEqual(debian.execute("echo before; sleep 98764", timeout=datetime.timedelta(seconds=1)), (124, "before\n"))
    debian.fail("pgrep -f '^sleep 98764'")


good(
    "Machine.execute",
    "no time-out, or 0, is none",
    lambda: [debian.execute("sleep 0.1", timeout=limit)[0] for limit in (None, 0)],
    [0, 0],
)


@fails(
    "Machine.succeed",
    "says that a command was killed",
    raises=RequestedAssertionFailed,
    text="^command `sleep 98765` failed \\(exit code 124\\)$",
)
def _():
    failure = raised(lambda: debian.succeed("sleep 98765", timeout=1))
    t.assertRegex("\n".join(failure.__notes__), "^killed: it did not end in time \\(timeout=1\\)$")
    raise failure


# Several at once.


@good("Machine.execute", "many commands run at once, each with its own output")
def _():
    def commands(number):
        return [debian.execute(f"echo {number} {turn}; exit {number}") for turn in range(5)]

    results = parallel(*[lambda number=number: commands(number) for number in range(16)])
    t.assertEqual(results, [[(number, f"{number} {turn}\n") for turn in range(5)] for number in range(16)])


@good("Machine.succeed", "commands do not wait for one another")
def _():
    debian.succeed("mkfifo /run/meeting")
    reader = threading.Thread(target=lambda: heard.append(debian.succeed("cat /run/meeting")))
    heard = []
    reader.start()
    debian.succeed("echo hello > /run/meeting")
    reader.join(SOON)
    t.assertEqual(heard, ["hello\n"])
