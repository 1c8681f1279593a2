# The log: an object of the script's own that gets what is logged shows what came of a call.


class Recorder:
    def __init__(self):
        self.calls = []

    def __getattr__(self, method):
        return lambda *arguments: self.calls.append((method, *arguments))


def recorded(call):
    """What a logger of the script's own gets meanwhile."""
    recorder = Recorder()
    log.add_logger(recorder)
    try:
        call()
    finally:
        log.logger_list.remove(recorder)
    return recorder.calls


for level in ("debug", "info", "warning", "log_test_error"):
    good(
        f"Logger.{level}",
        "writes the message, and tells other loggers",
        lambda level=level: recorded(lambda: getattr(log, level)(f"message-of-{level}")),
        [(level, f"message-of-{level}")],
    )
for level in ("debug", "info", "warning", "error", "log_test_error"):
    call = lambda level=level: getattr(log, level)()
    fails(f"Logger.{level}", "needs a message", call, TypeError, "^missing the message$")
fails("Logger.error", "ends the test", lambda: log.error("this would end the test"), SystemExit, "^1$")
cannot_be_good("Logger.error", "it always ends the test")

good(
    "Logger.log log",
    "writes the message, of a machine if it is said so",
    lambda: recorded(lambda: log.log("message-of-log", {"machine": "some-machine"})),
    [("log", "message-of-log", {"machine": "some-machine"})],
)
fails("Logger.log log", "needs a message", lambda: log.log(), TypeError, "missing required argument: 'message'")
good(
    "Logger.log_serial",
    "writes a line as if the console had shown it",
    lambda: recorded(lambda: log.log_serial("message-of-log_serial", "some-machine")),
    [("log_serial", "message-of-log_serial", "some-machine")],
)
fails(
    "Logger.log_serial",
    "needs a machine",
    lambda: log.log_serial("x"),
    TypeError,
    "missing required argument: 'machine'",
)


@good("Logger.set_log_level LogLevel.DEBUG LogLevel.INFO LogLevel.WARNING LogLevel.ERROR", "takes levels and numbers")
def _():
    from test_driver.logger import LogLevel

    t.assertEqual(
        [(level.name, int(level)) for level in LogLevel], [("DEBUG", 1), ("INFO", 2), ("WARNING", 3), ("ERROR", 4)]
    )
    for level in LogLevel:
        log.set_log_level(level)
        log.info(f"shown-at-level-{int(level)}")
    log.set_log_level(2)


fails("Logger.set_log_level", "takes nothing else", lambda: log.set_log_level("loud"), TypeError, "integer")
cannot_fail("LogLevel.DEBUG LogLevel.INFO LogLevel.WARNING LogLevel.ERROR", "numbers")


@good("Logger.add_logger Logger.logger_list", "adds to the list of loggers")
def _():
    recorder = Recorder()
    t.assertIsNone(log.add_logger(recorder))
    t.assertIs(log.logger_list[-1], recorder)
    log.logger_list.remove(recorder)


@fails("Logger.add_logger", "a logger has the methods of the log", raises=AttributeError, text="info")
def _():
    broken = object()
    log.add_logger(broken)
    try:
        log.info("for a logger that is none")
    finally:
        log.logger_list.remove(broken)


cannot_fail("Logger.logger_list", "a list")


@good("Logger.nested", "is a context manager, of a machine if it is said so")
def _():
    with log.nested("a-block-of-the-log", {"machine": "some-machine"}):
        inside = True
    t.assertTrue(inside)


fails("Logger.nested", "lets failures through", lambda: fail_in(log.nested("x")), ValueError, "^from the block$")

good("Machine.log", "writes the message", lambda: debian.log("message-of-machine-log"))
fails("Machine.log", "needs a message", lambda: debian.log(), TypeError, "missing required argument: 'msg'")
good(
    "Machine.log_serial", "writes it like a line of the console", lambda: debian.log_serial("message-of-machine-serial")
)
fails(
    "Machine.log_serial", "needs a message", lambda: debian.log_serial(), TypeError, "missing required argument: 'msg'"
)


@good("Machine.nested", "is a context manager")
def _():
    with debian.nested("a-block-of-the-machine"):
        inside = True
    t.assertTrue(inside)


fails("Machine.nested", "lets failures through", lambda: fail_in(debian.nested("x")), ValueError, "^from the block$")
