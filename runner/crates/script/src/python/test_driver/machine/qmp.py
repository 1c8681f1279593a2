"""QEMU's machine protocol."""

from _vmtest import QMPSession

__all__ = ["QMPAPIError", "QMPSession"]


class QMPAPIError(RuntimeError):
    """QEMU refuses a command. The class of its error may also be its whole reply, or the error in that."""

    def __init__(self, class_name, description=None, transaction_id=None):
        super().__init__(class_name, description, transaction_id)
        if isinstance(class_name, dict):
            reply = class_name
            error = reply.get("error", reply)
            transaction_id = reply.get("id", transaction_id)
            try:
                class_name, description = error["class"], error["desc"]
            except (KeyError, TypeError):
                raise RuntimeError("Malformed QMP API error response") from None
        self.class_name = class_name
        self.description = description
        self.transaction_id = transaction_id

    def __str__(self):
        related = f" related to transaction {self.transaction_id}" if self.transaction_id else ""
        return f"<QMP API error{related} [{self.class_name}]: {self.description}>"
