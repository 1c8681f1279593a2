# The table of cases, and what runs it.
#
#   good(NAMES, WHAT, CALL, GIVES)          the call returns what is expected; None where nothing is said
#   fails(NAMES, WHAT, CALL, CLASS, TEXT)   the call raises this, with a text that the regular expression matches
#   cannot_fail(NAMES, WHY), cannot_be_good(NAMES, WHY)
#
# NAMES are words such as `Machine.execute` or `start_all`. Without a call, `good` and `fails` decorate a function.

import datetime
import hashlib
import importlib
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path

from test_driver.errors import MachineError, RequestedAssertionFailed

# Seconds that whatever should happen gets, on a slow host, and those that whatever should not happen gets.
SOON = 60
BRIEFLY = 0.3

CASES = []
REASONS = {"good": set(), "fails": set()}


class Case:
    def __init__(self, kind, names, what, call, check):
        self.kind = kind
        self.names = set(names.split())
        self.title = f"{names}: {what}"
        self.call = call
        self.check = check


def good(names, what, call=None, gives=None):
    def add(call):
        CASES.append(Case("good", names, what, call, lambda: demand(gives, call())))

    return add if call is None else add(call)


def fails(names, what, call=None, raises=None, text=None):
    def add(call):
        CASES.append(Case("fails", names, what, call, lambda: demand_failure(call, raises, text)))

    return add if call is None else add(call)


def cannot_fail(names, why):
    REASONS["fails"] |= set(names.split())


def cannot_be_good(names, why):
    REASONS["good"] |= set(names.split())


def demand(wanted, result):
    """Compares with a value, or with what is wanted of it: a pattern, a class, or a function that says whether it is right."""
    if isinstance(wanted, re.Pattern):
        fits = wanted.search(str(result)) is not None
    elif isinstance(wanted, type):
        fits = isinstance(result, wanted)
    elif callable(wanted):
        fits = wanted(result)
    else:
        fits = result == wanted
    if not fits:
        raise AssertionError(f"it gave {shortened(result)}, not {wanted!r}")


def shortened(value):
    text = repr(value)
    return text if len(text) < 500 else f"{text[:400]}… ({len(text)} characters)"


def demand_failure(call, raises, text):
    try:
        result = call()
    except raises as failure:
        if not re.search(text, str(failure)):
            raise AssertionError(f"the text is {str(failure)!r}, without {text!r}") from failure
        return
    raise AssertionError(f"it gave {shortened(result)} and raised nothing")


def run_cases():
    """Runs all cases, whatever becomes of each, and says in the end which of them failed."""
    failed = []
    for case in CASES:
        try:
            with subtest(case.title):
                case.check()
        except Exception as failure:
            failed.append(f"{case.kind}: {case.title}\n    {type(failure).__name__}: {failure}")
    return failed


def names_without_case():
    """What the program says that scripts can use, and no case is about; and the other way round."""
    listed = {symbol["name"] for symbol in api()["symbols"]}
    for name, described in api()["classes"].items():
        members = described["methods"] + described["properties"]
        listed |= {f"{name}.{member['name']}" for member in members}
    listed |= set(api()["modules"])
    wrong = []
    for kind in ("good", "fails"):
        covered = set().union(*(case.names for case in CASES if case.kind == kind))
        excused = REASONS[kind]
        wrong += [f"no case `{kind}`: {name}" for name in sorted(listed - covered - excused)]
        wrong += [f"a case, and a reason for none `{kind}`: {name}" for name in sorted(covered & excused)]
        wrong += [f"there is no such name: {name}" for name in sorted((covered | excused) - listed)]
    return wrong


def names_beside_the_list():
    """Public names of classes that the program does not say anything about; and the other way round."""
    objects = {
        "Machine": debian,
        "Driver": driver,
        "Logger": log,
        "VLan": vlan1,
        "Debug": debug,
        "Process": debian.process,
        "QMPSession": debian.qmp_client,
        "Shell": debian.shell,
    }
    wrong = []
    for name, made in objects.items():
        described = api()["classes"][name]
        listed = {member["name"] for member in described["methods"] + described["properties"]}
        there = {member for member in dir(type(made)) if not member.startswith("_")}
        wrong += [f"{name}.{member} is not the same in the list" for member in sorted(listed ^ there)]
    return wrong


def api():
    """What `vmtest api --json` prints: the script runs inside that program."""
    global API
    if API is None:
        program = os.readlink("/proc/self/exe")
        API = json.loads(subprocess.check_output([program, "api", "--json"]))
    return API


API = None


class Bare(Machine):
    """An object without a virtual machine, such as scripts derive."""


# What objects like that say when there is no way without one.
NO_MACHINE = "was not made by the driver"


def raised(call):
    """The exception that the call raises."""
    try:
        call()
    except BaseException as failure:
        return failure
    raise AssertionError("it raised nothing")


def at_once(*functions):
    """Calls functions at once, and returns what the first one returns."""
    return parallel(*functions)[0]


def boot_id(machine):
    return machine.succeed("cat /proc/sys/kernel/random/boot_id")
