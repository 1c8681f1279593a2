"""Machines go back to what they were."""

from contextlib import contextmanager

from _vmtest import Snapshot

__all__ = ["Snapshot"]


def make(driver, *machines):
    @contextmanager
    def pristine():
        before = driver.snapshot(*machines)
        try:
            yield before
        finally:
            driver.restore(before)

    return pristine()
