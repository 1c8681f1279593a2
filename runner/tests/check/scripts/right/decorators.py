# machines: server, client
import functools
import time


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        begin = time.monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            print(f"{function.__name__}: {time.monotonic() - begin:.1f} s")

    return wrapper


def on_each(*nodes):
    def decorate(function):
        for node in nodes:
            function(node)
        return function

    return decorate


@timed
def boot(node):
    node.start()
    node.wait_for_unit("multi-user.target")


@on_each(server, client)
def check_clock(node):
    assert int(node.succeed("date +%Y")) > 2020


@functools.cache
def kernel(node):
    return node.succeed("uname -r").strip()


class Tools:
    @staticmethod
    def quote(text):
        return f"'{text}'"

    @classmethod
    def make(cls):
        return cls()

    @property
    def answer(self):
        return 42


boot(server)
print(kernel(server), Tools.quote("x"), Tools.make().answer)
