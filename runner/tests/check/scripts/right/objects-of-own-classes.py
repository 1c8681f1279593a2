# machines: server, client
from abc import ABC, abstractmethod


class Service(ABC):
    unit: str
    port: int = 0
    instances = []

    def __init__(self, node, unit=None):
        self.node = node
        self.started = False
        if unit:
            self.unit = unit
        Service.instances.append(self)

    @abstractmethod
    def probe(self): ...

    def start(self):
        self.node.systemctl(f"start {self.unit}")
        self.started = True
        return self

    def __repr__(self):
        return f"<{type(self).__name__} {self.unit}>"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.node.systemctl(f"stop {self.unit}")


class Web(Service):
    unit = "nginx.service"
    port = 80

    def probe(self):
        return client.succeed(f"curl -f http://{self.node.name}:{self.port}/")


class Named(Web):
    def __init__(self, node, *, title):
        super().__init__(node)
        self.title = title

    def __getitem__(self, key):
        return getattr(self, key)

    def __len__(self):
        return len(self.title)

    def __eq__(self, other):
        return isinstance(other, Named) and other.title == self.title

    def __call__(self, path="/"):
        return self.probe() + path


with Web(server) as web:
    assert "hello" in web.probe()
named = Named(server, title="x")
print(named, len(named), named["title"], named == web, named("/y"), Service.instances)
web.extra = "set from outside"
print(web.extra)
