"""Debugging."""

from _vmtest import Debug

DebugAbstract = DebugNop = Debug

__all__ = ["Debug", "DebugAbstract", "DebugNop"]
