# Conditions that are checked while the script waits for something else.

from test_driver.polling_condition import PollingCondition, PollingConditionError


@good(
    "Driver.polling_condition polling_condition Driver.polling_conditions Driver.check_polling_conditions",
    "is checked by commands in its block",
)
def _():
    calls = []

    @polling_condition(seconds_interval=0, description="a condition that holds")
    def holds():
        calls.append("called")

    with holds:
        t.assertEqual(driver.polling_conditions, [holds.condition])
        debian.succeed("true")
        t.assertEqual(len(calls), 1)
        t.assertIsNone(driver.check_polling_conditions())
        t.assertEqual(len(calls), 2)
    debian.succeed("true")
    t.assertEqual((len(calls), driver.polling_conditions), (2, []))


@good("Driver.polling_condition polling_condition", "is checked no more often than its interval says")
def _():
    calls = []
    with polling_condition(lambda: calls.append("called"), seconds_interval=3600, description="seldom"):
        debian.succeed("true", "true", "true")
    t.assertEqual(calls, ["called"])


def in_block_of(result, call):
    with polling_condition(lambda: result, seconds_interval=0, description="a condition of the test"):
        call()


for names, call in (
    ("Driver.polling_condition polling_condition Driver.polling_conditions", lambda: debian.succeed("true")),
    ("Driver.check_polling_conditions", lambda: driver.check_polling_conditions()),
    ("Machine.run_callbacks", lambda: debian.run_callbacks()),
):
    fails(
        names,
        "fails when the condition does not hold",
        lambda call=call: in_block_of(False, call),
        PollingConditionError,
        "^Polling condition failed: a condition of the test$",
    )


@fails(
    "Driver.polling_condition polling_condition",
    "fails in the middle of a wait",
    raises=PollingConditionError,
    text="^Polling condition failed: a file is there$",
)
def _():
    debian.succeed("touch /run/condition")

    @polling_condition(seconds_interval=0.1)
    def there():
        "a file is there"
        return debian.execute("test -e /run/condition")[0] == 0

    with there:
        at_once(
            lambda: debian.wait_for_file("/run/never", timeout=SOON),
            lambda: debian.succeed("rm /run/condition"),
        )


fails(
    "Driver.polling_condition polling_condition",
    "has one interval",
    lambda: polling_condition(seconds_interval=1, interval=2),
    TypeError,
    "got both",
)


@good("Poll.wait Poll.condition", "waits until it holds")
def _():
    answers = [False, 0, None]
    poll = polling_condition(lambda: answers.pop(0), seconds_interval=0.01, description="the last answer")
    t.assertIsNone(poll.wait(timeout=SOON))
    t.assertEqual(answers, [])
    t.assertEqual(poll.condition.description, "the last answer")


fails(
    "Poll.wait",
    "says when the time is over",
    lambda: polling_condition(lambda: False, seconds_interval=0.1, description="never").wait(BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after .* seconds",
)
cannot_fail("Poll.condition", "an attribute")


def made(result):
    return PollingCondition(lambda: result, log, seconds_interval=5, description="made by hand")


good(
    "PollingCondition.check",
    "returns what the function does",
    lambda: [made(result).check() for result in (7, 0, None)],
    [7, 0, True],
)
good("PollingCondition.check", "a check must be due, or forced", lambda: checked_twice(), [0, True, 0])


def checked_twice():
    condition = made(0)
    return [condition.check(), condition.check(), condition.check(force=True)]


fails("PollingCondition.check", "takes no more", lambda: made(1).check(True, True), TypeError, "check")
good("PollingCondition.maybe_raise", "is silent when it holds", lambda: made(1).maybe_raise())
fails(
    "PollingCondition.maybe_raise",
    "raises when it does not",
    lambda: made(0).maybe_raise(),
    PollingConditionError,
    "^Polling condition failed: made by hand$",
)
good(
    "PollingCondition.status_message PollingCondition.nested_message",
    "are for the log",
    lambda: [made(1).status_message(True), made(1).status_message(False), made(1).nested_message],
    [
        "Polling condition succeeded: made by hand",
        "Polling condition failed: made by hand",
        "Checking polling condition 'made by hand'",
    ],
)


@good(
    "PollingCondition.condition PollingCondition.interval PollingCondition.seconds_interval PollingCondition.description "
    "PollingCondition.logger PollingCondition.last_called PollingCondition.entry_count PollingCondition.entered "
    "PollingCondition.overdue",
    "say what is so",
)
def _():
    new = made(3)
    t.assertEqual((new.condition(), new.description, new.seconds_interval), (3, "made by hand", 5))
    t.assertEqual((new.interval, type(new.logger).__name__), (datetime.timedelta(seconds=5), "Logger"))
    t.assertEqual((new.entry_count, new.entered, new.overdue, new.last_called), (0, False, True, float("-inf")))
    new.check()
    t.assertEqual((new.entered, new.overdue), (False, False))
    with new:
        t.assertEqual((new.entry_count, new.entered), (1, True))


cannot_fail(
    "PollingCondition.status_message PollingCondition.nested_message PollingCondition.condition PollingCondition.interval "
    "PollingCondition.seconds_interval PollingCondition.description PollingCondition.logger PollingCondition.last_called "
    "PollingCondition.entry_count PollingCondition.entered PollingCondition.overdue",
    "they only say what is so",
)
