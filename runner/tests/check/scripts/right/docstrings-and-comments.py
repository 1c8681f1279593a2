"""What this script is about.

It has a text of its own.
"""
# vim: set ft=python:
#!not a shebang


def documented():
    """One line."""


class Documented:
    """A class with a text alone."""

    """Texts may stand anywhere."""

    def method(self): ...


"""And here."""
...
pass
documented()
Documented().method()
# TODO: nothing
machine.succeed("true")  # at the end; with "quotes' and (brackets
# machine.suceed("commented out")
