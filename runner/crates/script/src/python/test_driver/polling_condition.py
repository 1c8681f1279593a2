"""Conditions that are checked while the script waits for something else."""

import _thread
from datetime import timedelta

import _vmtest
from _vmtest import PollingConditionError
from test_driver.duration import as_timedelta, one_of

__all__ = ["Poll", "PollingCondition", "PollingConditionError"]

DEFAULT_INTERVAL = 2.0
DEFAULT_TIMEOUT = 900.0


class PollingCondition:
    def __init__(
        self, condition, logger, seconds_interval=None, description=None, *, interval=None
    ):
        seconds = one_of(
            "polling_condition",
            DEFAULT_INTERVAL,
            interval=interval,
            seconds_interval=seconds_interval,
        )
        self.condition = condition
        self.logger = logger
        self.interval = timedelta(seconds=seconds)
        if description is None:
            description = getattr(condition, "__doc__", None) or condition.__name__
        self.description = str(description)
        self.last_called = float("-inf")
        self.entry_count = 0
        self._counting = _thread.allocate_lock()

    @property
    def seconds_interval(self):
        return as_timedelta(self.interval).total_seconds()

    @seconds_interval.setter
    def seconds_interval(self, seconds):
        self.interval = timedelta(seconds=seconds)

    @property
    def entered(self):
        return self.entry_count > 0

    @property
    def overdue(self):
        return _vmtest.now() > self.last_called + self.seconds_interval

    @property
    def nested_message(self):
        return f"Checking polling condition {self.description!r}"

    def status_message(self, status):
        verb = "succeeded" if status else "failed"
        return f"Polling condition {verb}: {self.description}"

    def check(self, force=False):
        if not force and (self.entered or not self.overdue):
            return True
        with self, self.logger.nested(self.nested_message):
            if self.last_called == float("-inf"):
                self.logger.info("(not called yet)")
            else:
                since = _vmtest.now() - self.last_called
                self.logger.info(f"Time since last: {since:.2f}s")
            try:
                result = self.condition()
            except Exception as failure:
                self.logger.info(f"{type(failure).__name__}: {failure}")
                result = False
            holds = True if result is None else result
            self.logger.info(self.status_message(holds))
            return holds

    def maybe_raise(self):
        if not self.check():
            raise PollingConditionError(self.status_message(False))

    def __enter__(self):
        with self._counting:
            self.entry_count += 1

    def __exit__(self, *failure):
        with self._counting:
            self.entry_count -= 1
        self.last_called = _vmtest.now()


class Poll:
    """A condition in the hands of a script: it holds throughout a `with` block, or is waited for."""

    def __init__(self, driver, condition):
        self._driver = driver
        self.condition = condition

    def wait(self, timeout_seconds=900, timeout=None):
        if timeout is not None and timeout_seconds == 900:
            timeout_seconds = None
        limit = one_of(
            "wait", DEFAULT_TIMEOUT, timeout=timeout, timeout_seconds=timeout_seconds
        )
        description = self.condition.description
        logger = self.condition.logger

        def attempt(last):
            if last:
                logger.info(f"Last chance for {description}")
            holds = self.condition.check(force=True)
            if not holds and not last:
                logger.info(f"({description} failure not fatal yet)")
            return holds

        with logger.nested(f"waiting for {description}"):
            _vmtest.retry(attempt, limit, self.condition.seconds_interval)

    def __enter__(self):
        self._driver.polling_conditions.append(self.condition)
        watch(self._driver)

    def __exit__(self, *failure):
        left = self._driver.polling_conditions.pop()
        watch(self._driver)
        assert left is self.condition, "polling conditions were not left in their order"


def watch(driver):
    """Has every machine check the conditions while it waits, as long as there are any."""
    check = driver._check
    for machine in driver.machines:
        callbacks = getattr(machine, "callbacks", None)
        if callbacks is None:
            continue
        if check in callbacks:
            callbacks.remove(check)
        if driver.polling_conditions:
            callbacks.append(check)


def make(driver, fun_, seconds_interval, interval, description):
    def decorate(function):
        condition = PollingCondition(
            function, driver.logger, seconds_interval, description, interval=interval
        )
        return Poll(driver, condition)

    if fun_ is not None:
        return decorate(fun_)
    # A wrong interval is told where it is written.
    one_of(
        "polling_condition", None, interval=interval, seconds_interval=seconds_interval
    )
    return decorate
