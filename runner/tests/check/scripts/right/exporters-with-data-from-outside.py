# machines: exporter
import json
import shlex
from dataclasses import dataclass, field
from typing import Iterator, Optional

TESTS = json.loads(
    """
    [
      {"name": "node", "port": 9100, "metrics": {"node_uname_info": null}},
      {"name": "bind", "port": 9119, "units": ["named"], "metrics": {"bind_up": 1.0}},
      {"name": "nginx", "port": 9113, "units": ["nginx.service"], "metrics": {}}
    ]
    """
)


@dataclass
class Exporter:
    name: str
    port: int
    metrics: dict[str, Optional[float]]
    units: list[str] = field(default_factory=list)
    labels: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: dict) -> "Exporter":
        return cls(**data)

    @property
    def unit(self) -> str:
        return f"prometheus-{self.name}-exporter.service"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/metrics"

    def wait(self, node: Machine) -> None:
        for unit in [*self.units, self.unit]:
            node.wait_for_unit(unit)
        node.wait_for_open_port(self.port)


def samples(text: str) -> Iterator[tuple[str, str, float]]:
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        series, _, value = line.rpartition(" ")
        name, brace, labels = series.partition("{")
        yield name, labels.rstrip("}") if brace else "", float(value)


exporter.start()
found: dict[str, dict[str, float]] = {}
for data in TESTS:
    test = Exporter.parse(data)
    with subtest(f"exporter {test.name}"):
        test.wait(exporter)
        text = exporter.succeed(f"curl -sSf {shlex.quote(test.url)}")
        values = {name: value for name, _, value in samples(text)}
        found[test.name] = values
        for metric, wanted in test.metrics.items():
            assert metric in values, f"{metric} is not among {sorted(values)}"
            if wanted is not None:
                t.assertAlmostEqual(values[metric], wanted)
        exporter.succeed("curl -sSf http://localhost:9113 | grep 'a=\\\"b\\\"' || true")

missing = [name for name, values in found.items() if not values]
assert missing == ["nginx"] or not missing, missing
(exporter.out_dir / "metrics.json").write_text(json.dumps(found, indent=1))
