"""QEMU's machine protocol."""

from _vmtest import QMPSession

__all__ = ["QMPAPIError", "QMPSession"]


class QMPAPIError(RuntimeError):
    """QEMU refuses a command."""

    def __init__(self, class_name, description, transaction_id=None):
        super().__init__(class_name, description, transaction_id)
        self.class_name = class_name
        self.description = description
        self.transaction_id = transaction_id

    def __str__(self):
        related = f" related to transaction {self.transaction_id}" if self.transaction_id else ""
        return f"<QMP API error{related} [{self.class_name}]: {self.description}>"
