# expect: 12:7 error missing-argument `name`
# expect: 12:25 error invalid-argument-type `int`
from dataclasses import dataclass


@dataclass
class Node:
    name: str
    port: int = 80


print(Node(), Node("a", "b"))
