# machines: server, client
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Dict, List, Literal, Optional, TypedDict, Union, cast


class Person(TypedDict):
    name: str
    age: int


def sizes(node: Machine, folder: str = "/", unit: Optional[str] = None) -> Dict[str, int]:
    """Sizes of what lies in a folder, by name."""
    flag = "" if unit is None else f"-B{unit}"
    result = {}
    for row in node.succeed("du -s {} {}/*".format(flag, folder)).splitlines():
        size, name = row.split(maxsplit=1)
        result[name] = int(size)
    return result


def each(nodes: Iterable[Machine], action: Callable[[Machine], Any]) -> List[Any]:
    return [action(node) for node in nodes]


def numbers(limit: int | None = None) -> Iterator[int]:
    yield from range(limit or 3)


def status(machine: Machine, command: str) -> Union[int, None]:
    code, _ = machine.execute(command)
    return code if code else None


Mode = Literal["on", "off"]


def switch(mode: Mode) -> None:
    server.succeed(f"switch {mode}")


person: Person = {"name": "alice", "age": 3}
nodes: list[Machine] = [server, client]
switch("on")
print(sizes(server), sizes(client, "/var", unit="K"), each(nodes, lambda m: m.name))
print(list(numbers()), status(client, "true"))
answer = cast(dict[str, Any], person)
print(answer)
