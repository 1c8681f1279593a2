import contextlib, itertools, sys, traceback
def gen():
    x = yield 1
    print("sent", x)
    try:
        yield 2
    except ValueError as e:
        print("caught", e)
        yield 3
    finally:
        print("closed")
g = gen(); print(next(g), g.send("v"), g.throw(ValueError("inside"))); g.close()
def delegating():
    r = yield from sub()
    yield r
def sub():
    yield "s"
    return "returned"
print(list(delegating()), [*range(3), *"ab"], {**{"a": 1}, "b": 2}, {x: y for x, y in zip("ab", (1, 2))}, {i % 3 for i in range(9)})
def match(v):
    match v:
        case 0: return "zero"
        case int() | float() as n if n < 0: return f"negative {n}"
        case [a, b, *rest]: return f"list {a} {b} {rest}"
        case {"k": value, **others}: return f"dict {value} {others}"
        case str(s): return f"str {s}"
        case complex(real=r): return f"complex {r}"
        case (1 | 2 | 3) as small: return f"small {small}"
        case None | True: return "constant"
        case _: return "other"
print(*(match(v) for v in (0, -1, [1, 2, 3], {"k": 1, "z": 2}, "x", 2j, 2, None, True, object, 5)), sep=", ")
for i in range(3):
    if i == 1: continue
    for j in range(3):
        if j == 1: break
    else: print("no break")
    print(i, j)
else: print("for else")
n = 3
while n: n -= 1
else: print("while else")
def f():
    try: return "try"
    finally: print("finally")
print(f())
try:
    try: raise KeyError("k")
    except KeyError as e: raise RuntimeError("r") from e
    else: print("not here")
    finally: print("cleanup")
except RuntimeError as e:
    print(repr(e.__cause__), e.__suppress_context__, type(e.__traceback__).__name__)
try:
    raise ExceptionGroup("eg", [ValueError(1), TypeError(2), ExceptionGroup("in", [ValueError(3)])])
except* ValueError as e:
    print("values", e.exceptions)
except* TypeError as e:
    print("types", e.exceptions)
try:
    e = ValueError("x"); e.add_note("note"); raise e
except ValueError as e:
    print(e.__notes__, traceback.format_exception_only(e))
@contextlib.contextmanager
def cm(name):
    print("enter", name)
    try: yield name.upper()
    finally: print("exit", name)
with cm("a") as a, cm("b") as b: print(a, b)
with (cm("c"), cm("d") as d): print(d)
with contextlib.ExitStack() as stack:
    stack.enter_context(cm("e")); stack.callback(print, "callback")
with contextlib.suppress(ZeroDivisionError): 1 / 0
@cm("deco")
def decorated(): print("body")
decorated()
with contextlib.redirect_stdout(sys.stderr): pass
with contextlib.nullcontext(5) as x: print(x)
print(list(itertools.chain([1], "a")), list(itertools.islice(itertools.count(5, 2), 3)), list(itertools.product("ab", repeat=2))[:2], list(itertools.combinations(range(4), 2))[-1], list(itertools.accumulate([1, 2, 3])), [(k, list(v)) for k, v in itertools.groupby("aabc")], list(itertools.zip_longest("ab", "c")), list(itertools.batched("abcde", 2)), list(itertools.pairwise([1, 2, 3])))
def args(a, b=2, *rest, c, d=4, **kw): return a, b, rest, c, d, kw
print(args(1, c=3), args(*[1, 2, 3], c=1, **{"z": 0}))
try: args()
except TypeError as e: print(e)
try: args(1, a=2, c=3)
except TypeError as e: print(e)
a, (b, *c), d = 1, (2, 3, 4), 5; print(a, b, c, d)
a, b = b, a; print(a, b)
if (m := 5) > 3: print(m)
lst = [1, 2, 3, 4]; lst[1:3] = [9]; del lst[0]; print(lst, lst[-1:], lst[::-1])
x = [lambda i=i: i for i in range(3)]; print([f() for f in x], (lambda *a, **k: (a, k))(1, z=2))
assert 1 + 1 == 2, "math"
try: assert [] , "message"
except AssertionError as e: print(e)
global_var = 1
def change():
    global global_var
    global_var += 1
change(); print(global_var)
print([y for x in [[1, 2], [3]] for y in x if y != 2], sum(x * x for x in range(4)), next((i for i in range(9) if i > 5), None))
type Alias[T] = list[T]
def generic[T](x: T) -> T: return x
print(Alias.__name__, generic(3))
import asyncio
async def co(x): await asyncio.sleep(0); return x * 2
async def main(): return await asyncio.gather(co(1), co(2))
print(asyncio.run(main()))
print(sorted({"b": 1, "a": 2}.items()), dict(sorted({"b": 1, "a": 2}.items(), key=lambda kv: kv[1])), list(reversed([1, 2])), list(enumerate("ab", 1)), list(map(str, (1, 2))), list(filter(None, [0, 1])))
print(eval("1 + 1"), compile("x", "f", "eval").co_filename); exec("y = 5"); print(y)
print({1, 2} & {2, 3}, {1} | {2}, {1, 2} ^ {2}, frozenset("a"), {"a": 1} | {"b": 2}, [1, 2] < [1, 3], (1,) + (2,), "%s" % (1,))
d = {"a": 1}; d.setdefault("b", []).append(1); print(d, d.pop("a"), d.get("z", 0), list(d), d.items())
