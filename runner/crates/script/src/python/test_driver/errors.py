"""What the driver raises."""

from _vmtest import MachineError, RequestedAssertionFailed, TestScriptError

__all__ = ["MachineError", "RequestedAssertionFailed", "TestScriptError"]
