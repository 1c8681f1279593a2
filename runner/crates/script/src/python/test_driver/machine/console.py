"""The serial console, line by line."""

from collections import deque
from queue import Empty, Queue


class ConsoleLines(Queue):
    """The lines that no wait for a text has taken. Those that are got from here are taken, too."""

    def __init__(self, machine):
        super().__init__()
        self._machine = machine

    def _init(self, maxsize):
        # The lines are not kept here.
        pass

    @property
    def queue(self):
        return deque(self._machine._console_lines())

    def qsize(self):
        return len(self.queue)

    def empty(self):
        return not self.queue

    def get(self, block=True, timeout=None):
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        line = self._machine._take_console_line(timeout if block else 0)
        if line is None:
            raise Empty
        return line
