"""VLANs."""

from _vmtest import VLan

__all__ = ["VLan"]
