import dataclasses, enum, functools, abc, typing, contextlib, copy, types, weakref
from dataclasses import dataclass, field

@dataclass(order=True, frozen=True)
class P:
    x: int
    y: "list[int]" = field(default_factory=list, compare=False)
    z: typing.ClassVar[int] = 3

p = P(1)
print(p, p == P(1, [2]), P(1) < P(2), dataclasses.asdict(P(1, [5])), dataclasses.replace(p, x=7), [f.name for f in dataclasses.fields(P)])
try:
    p.x = 3
except dataclasses.FrozenInstanceError as e:
    print(type(e).__name__, e)

@dataclass(kw_only=True, slots=True)
class K:
    a: int = 1
    def __post_init__(self):
        self.a += 1
print(K(a=4), K.__slots__)

class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()
class Flag(enum.Flag):
    A = enum.auto()
    B = enum.auto()
class Level(enum.IntEnum):
    LOW = 1
class Word(enum.StrEnum):
    HELLO = enum.auto()
print(Color.RED, Color(2), Color["GREEN"].name, list(Color), Flag.A | Flag.B, Flag.A in (Flag.A | Flag.B), Level.LOW + 1, Word.HELLO, repr(Color.RED), f"{Level.LOW}")

class Base(abc.ABC):
    registry = {}
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__()
        Base.registry[cls.__name__] = kwargs
    @abc.abstractmethod
    def f(self): ...
    @property
    def value(self): return self._value
    @value.setter
    def value(self, v): self._value = v * 2
    @classmethod
    def make(cls): return cls()
    @staticmethod
    def static(a, /, b, *, c=3): return (a, b, c)
class Derived(Base, option=1):
    def f(self): return super().__class__.__name__
    def __getattr__(self, name): return f"got {name}"
    def __call__(self, *args, **kwargs): return args, kwargs
    def __getitem__(self, i): return i
    def __len__(self): return 0
    def __contains__(self, x): return x == 1
    def __eq__(self, other): return True
    def __hash__(self): return 1
    def __repr__(self): return "<D>"
    def __add__(self, o): return "add"
    def __radd__(self, o): return "radd"
    def __enter__(self): return self
    def __exit__(self, *a): return True
d = Derived.make()
d.value = 4
print(d.value, d.other, d(1, k=2), d[1:2], bool(d), 1 in d, d == 5, d + 1, 1 + d, Base.registry, Base.static(1, 2), d.f(), [d])
with d: raise ValueError
try:
    Base()
except TypeError as e:
    print(e)
print(Derived.__mro__, Derived.__name__, issubclass(Derived, Base), isinstance(d, abc.ABC), type(d).__qualname__, d.__class__.__module__)

def decorate(cls):
    cls.extra = lambda self: "extra"
    return cls
@decorate
class Decorated:
    __slots__ = ("a",)
print(Decorated().extra())

class Meta(type):
    def __new__(m, name, bases, ns, **kw): return super().__new__(m, name, bases, {**ns, "added": True})
class WithMeta(metaclass=Meta): pass
print(WithMeta.added, type(WithMeta).__name__)

class Descriptor:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, obj, owner=None): return (self.name, obj is None)
class Owner: attribute = Descriptor()
print(Owner.attribute, Owner().attribute)

@functools.lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(80), fib.cache_info().hits > 0, functools.reduce(lambda a, b: a * b, [1, 2, 3]), functools.partial(int, base=2)("101"))
@functools.singledispatch
def show(x): return "object"
@show.register
def _(x: int): return "int"
print(show(1), show("a"))
class C:
    @functools.cached_property
    def slow(self): print("computed"); return 5
c = C(); print(c.slow, c.slow)
@functools.wraps(fib)
def wrapped(): "doc"
print(wrapped.__name__, wrapped.__wrapped__ is fib)
@functools.total_ordering
class T:
    def __init__(self, v): self.v = v
    def __eq__(self, o): return self.v == o.v
    def __lt__(self, o): return self.v < o.v
print(T(1) <= T(2), max(T(1), T(3)).v)
class Typed(typing.NamedTuple):
    a: int
    b: str = "x"
print(Typed(1), Typed(1)._asdict(), typing.get_type_hints(Typed), typing.Optional[int], list[int], int | None)
class TD(typing.TypedDict): k: int
print(TD(k=1), typing.cast(int, "x"))
deep = {"a": [1, {2}]}; other = copy.deepcopy(deep); other["a"].append(3); print(deep, other, copy.copy([1]))
print(types.SimpleNamespace(a=1), type("Dyn", (), {"x": 1}).x)
class Thing: pass
thing = Thing(); ref = weakref.ref(thing); print(ref() is thing)
def outer():
    count = 0
    def inner():
        nonlocal count
        count += 1
        return count
    return inner
f = outer(); print(f(), f())
class A:
    def who(self): return "A"
class B(A):
    def who(self): return "B" + super().who()
class CC(A):
    def who(self): return "C" + super().who()
class D(B, CC):
    def who(self): return "D" + super().who()
print(D().who(), [c.__name__ for c in D.__mro__])
