"""The log, by all of its names. The runner writes it, and its reports, whatever loggers a script makes."""

from enum import IntEnum

from _vmtest import Logger

AbstractLogger = CompositeLogger = Logger


class LogLevel(IntEnum):
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4


class TerminalLogger(Logger):
    pass


class XMLLogger(Logger):
    def __init__(self, outfile):
        self.outfile = outfile


class JunitXMLLogger(Logger):
    def __init__(self, outfile):
        self.outfile = outfile


def __getattr__(name):
    # The one logger of old drivers.
    if name == "rootlog":
        return Logger()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
