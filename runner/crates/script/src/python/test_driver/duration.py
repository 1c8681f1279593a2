"""Durations: seconds as a number, or a timedelta."""

from datetime import timedelta
from typing import Union

Duration = Union[timedelta, int, float]


def as_timedelta(duration):
    if isinstance(duration, timedelta):
        return duration
    if isinstance(duration, bool):
        raise TypeError(f"expected a duration, got bool: {duration}")
    if isinstance(duration, (int, float)):
        return timedelta(seconds=duration)
    kind = type(duration).__name__
    raise TypeError(f"expected a timedelta, int, or float duration, got {kind}")


def as_seconds(duration):
    return as_timedelta(duration).total_seconds()


def one_of(function, default, **given):
    """The one duration that was given under its old or its new name, in seconds."""
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) > 1:
        new, old = given
        raise TypeError(
            f"{function}() got both '{new}' and '{old}' arguments. Pass only '{new}'"
        )
    for value in named.values():
        return as_seconds(value)
    return default
