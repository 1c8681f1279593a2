# Units of systemd, and of a user's own manager.


@good("Machine.wait_for_unit", "waits for a unit that is being started")
def _():
    debian.wait_for_unit("multi-user.target", timeout=2 * SOON)
    debian.succeed("mkfifo /run/late", "systemctl start --no-block late.service")
    debian.wait_for_unit_active_state("late.service", "activating", timeout=SOON)
    at_once(
        lambda: debian.wait_for_unit("late.service", timeout=SOON),
        lambda: debian.succeed("echo go > /run/late"),
    )
    t.assertEqual(debian.succeed("systemctl show --property=ActiveState --value late.service"), "active\n")


good("Machine.wait_for_unit", "returns at once when it is active", lambda: debian.wait_for_unit("late", timeout=0))


@fails(
    "Machine.wait_for_unit",
    "a unit that fails is waited for no longer",
    raises=RequestedAssertionFailed,
    text='^unit "broken.service" reached state "failed"$',
)
def _():
    debian.succeed("mkfifo /run/broken", "systemctl start --no-block broken.service")
    debian.wait_for_unit_active_state("broken.service", "activating", timeout=SOON)
    at_once(
        lambda: debian.wait_for_unit("broken.service", timeout=SOON),
        lambda: debian.succeed("echo go > /run/broken"),
    )


fails(
    "Machine.wait_for_unit",
    "a unit that nobody starts is not waited for",
    lambda: debian.wait_for_unit("once.service", timeout=SOON),
    RequestedAssertionFailed,
    '^unit "once.service" is inactive and there are no pending jobs$',
)
fails(
    "Machine.wait_for_unit",
    "nor is one that does not exist",
    lambda: debian.wait_for_unit("no-such.service", timeout=SOON),
    RequestedAssertionFailed,
    '^unit "no-such.service" is inactive and there are no pending jobs$',
)


@fails(
    "Machine.wait_for_unit",
    "says when the time is over",
    raises=RequestedAssertionFailed,
    text="^action timed out after \\d\\.\\d\\d seconds \\(timeout=0.3\\): waiting for unit late.service$",
)
def _():
    debian.succeed("systemctl stop late.service", "systemctl start --no-block late.service")
    try:
        debian.wait_for_unit("late.service", timeout=BRIEFLY)
    finally:
        debian.succeed("echo go > /run/late")


@fails(
    "Machine.wait_for_unit",
    "as long as any job is pending, an inactive unit may become active still",
    raises=RequestedAssertionFailed,
    text="^action timed out after .* \\(timeout=0.3\\): waiting for unit once.service$",
)
def _():
    debian.succeed("systemctl restart --no-block late.service")
    debian.wait_for_unit_active_state("late.service", "activating", timeout=SOON)
    try:
        debian.wait_for_unit("once.service", timeout=BRIEFLY)
    finally:
        debian.succeed("echo go > /run/late")


@good("Machine.wait_for_unit", "a unit that systemd starts again has not failed")
def _():
    debian.succeed("systemctl start --no-block flaky.service")
    debian.wait_for_unit("flaky.service", timeout=SOON)
    t.assertEqual(debian.get_unit_property("flaky.service", "NRestarts"), "1")


good("Machine.wait_for_job", "is the old name of wait_for_unit", lambda: debian.wait_for_job("multi-user.target"))
fails(
    "Machine.wait_for_job",
    "is the old name of wait_for_unit",
    lambda: debian.wait_for_job("once.service"),
    RequestedAssertionFailed,
    '^unit "once.service" is inactive',
)


@good("Machine.wait_for_unit_active_state", "waits for a state")
def _():
    debian.wait_for_unit("late.service", timeout=SOON)
    at_once(
        lambda: debian.wait_for_unit_active_state("late.service", "inactive", timeout=SOON),
        lambda: debian.succeed("systemctl stop late.service"),
    )


fails(
    "Machine.wait_for_unit_active_state",
    "says when the time is over",
    lambda: debian.wait_for_unit_active_state("late.service", "active", timeout=BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after .* \\(timeout=0.3\\): waiting for unit late.service to be active$",
)

good(
    "Machine.start_job",
    "starts a unit",
    lambda: [debian.start_job("once.service")[0], debian.succeed("cat /run/once")],
    [0, "once\n"],
)
good(
    "Machine.start_job",
    "does nothing with one that is active",
    lambda: [debian.start_job("once.service"), debian.succeed("cat /run/once")],
    [(0, ""), "once\n"],
)
fails(
    "Machine.start_job", "needs a name", lambda: debian.start_job(), TypeError, "missing required argument: 'jobname'"
)
good("Machine.start_job", "tells of failures by the status", lambda: debian.start_job("no-such.service"), (5, ""))
good("Machine.require_unit_state", "is silent when it is so", lambda: debian.require_unit_state("once.service"))
good("Machine.stop_job", "stops a unit", lambda: debian.stop_job("once.service"), (0, ""))
good("Machine.require_unit_state", "knows all states", lambda: debian.require_unit_state("once.service", "inactive"))
good("Machine.stop_job", "tells of failures by the status", lambda: debian.stop_job("no-such.service"), (5, ""))
fails("Machine.stop_job", "needs a name", lambda: debian.stop_job(), TypeError, "missing required argument: 'jobname'")
fails(
    "Machine.require_unit_state",
    "says what the state is",
    lambda: debian.require_unit_state("once.service"),
    RequestedAssertionFailed,
    "'once.service' .* in state 'active' but it is in state 'inactive'$",
)

good(
    "Machine.systemctl",
    "returns status and output",
    lambda: debian.systemctl("is-active once.service"),
    (3, "inactive\n"),
)
fails("Machine.systemctl", "needs a question", lambda: debian.systemctl(), TypeError, "missing required argument: 'q'")
good(
    "Machine.get_unit_info",
    "returns all properties",
    lambda: debian.get_unit_info("once.service"),
    lambda info: (info["Id"], info["Type"], info["ActiveState"]) == ("once.service", "oneshot", "inactive")
    and len(info) > 50,
)
fails(
    "Machine.get_unit_info",
    "there must be such a user",
    lambda: debian.get_unit_info("once.service", "nobody-of-that-name"),
    RequestedAssertionFailed,
    '^retrieving systemctl info for unit "once.service" under user "nobody-of-that-name" failed with exit code 1$',
)
good(
    "Machine.get_unit_property",
    "returns one",
    lambda: debian.get_unit_property("once.service", "Description"),
    "Done once, and active from then on",
)
fails(
    "Machine.get_unit_property",
    "there must be such a property",
    lambda: debian.get_unit_property("once.service", "NoSuchProperty"),
    RequestedAssertionFailed,
    'systemctl show --property "NoSuchProperty" "once.service" produced invalid output',
)

# A user's own.


@good("Machine.wait_for_unit", "waits for a unit of a user's manager")
def _():
    debian.succeed("useradd --create-home alice", "loginctl enable-linger alice")
    debian.wait_for_unit("user@1000.service", timeout=SOON)
    debian.wait_for_unit("default.target", "alice", timeout=SOON)


good(
    "Machine.start_job",
    "starts a unit of a user's manager",
    lambda: debian.start_job("greeting.service", "alice"),
    (0, ""),
)
good("Machine.wait_for_unit", "finds it active", lambda: debian.wait_for_unit("greeting", user="alice", timeout=SOON))
good("Machine.succeed", "it has done its work", lambda: debian.succeed("cat /run/user/1000/greeting"), "hello\n")
good(
    "Machine.get_unit_property",
    "reads it",
    lambda: debian.get_unit_property("greeting.service", "ActiveState", user="alice"),
    "active",
)
good(
    "Machine.get_unit_info", "reads it", lambda: debian.get_unit_info("greeting.service", "alice")["Result"], "success"
)
good("Machine.stop_job", "stops it", lambda: debian.stop_job("greeting.service", user="alice"), (0, ""))
good(
    "Machine.systemctl",
    "asks for it",
    lambda: debian.systemctl("is-active greeting.service", "alice"),
    (3, "inactive\n"),
)
fails(
    "Machine.wait_for_unit",
    "a user's unit that nobody starts is not waited for",
    lambda: debian.wait_for_unit("greeting.service", "alice", timeout=SOON),
    RequestedAssertionFailed,
    '^unit "greeting.service" is inactive and there are no pending jobs$',
)


@fails(
    "Machine.wait_for_unit",
    "nor is one that has failed",
    raises=RequestedAssertionFailed,
    text='^unit "rude.service" reached state "failed"$',
)
def _():
    t.assertNotEqual(debian.start_job("rude.service", "alice")[0], 0)
    debian.wait_for_unit("rude.service", "alice", timeout=SOON)


fails(
    "Machine.get_unit_property",
    "there must be such a user",
    lambda: debian.get_unit_property("greeting.service", "ActiveState", "nobody-of-that-name"),
    RequestedAssertionFailed,
    '"greeting.service" under user "nobody-of-that-name" failed with exit code 1$',
)
