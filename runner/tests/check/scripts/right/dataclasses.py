import dataclasses
from dataclasses import dataclass, field
from enum import Enum, auto


class Kind(Enum):
    LEADER = auto()
    FOLLOWER = "follower"


@dataclass
class Node:
    machine: Machine
    kind: Kind = Kind.FOLLOWER
    ports: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.machine.name

    def check(self) -> None:
        for port in self.ports:
            self.machine.wait_for_open_port(port)


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int = 0


node = Node(machine, Kind.LEADER, [22, 80])
node.check()
print(node.name, node.kind.name, dataclasses.asdict(Version(1)))
assert Version(1, 2) < Version(2)
changed = dataclasses.replace(node, kind=Kind.FOLLOWER)
print(changed.kind is Kind.FOLLOWER)
