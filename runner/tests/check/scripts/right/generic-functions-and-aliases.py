# machines: server, client
from typing import NamedTuple, Protocol, TypeVar

T = TypeVar("T")


def first(items: list[T]) -> T:
    return items[0]


def last[U](items: list[U]) -> U:
    return items[-1]


type Pair = tuple[Machine, Machine]


class Runs(Protocol):
    def succeed(self, *commands: str) -> str: ...


class Address(NamedTuple):
    host: str
    port: int = 80


class Stack[V]:
    def __init__(self) -> None:
        self.items: list[V] = []

    def push(self, item: V) -> None:
        self.items.append(item)


def hostname(node: Runs) -> str:
    return node.succeed("hostname").strip()


pair: Pair = (server, client)
address = Address("server")
client.succeed(f"curl {address.host}:{address.port}")
stack: Stack[str] = Stack()
stack.push(hostname(first([server])))
print(last([1, 2]), pair, stack.items)
