import math, random, statistics, fractions, decimal, operator, struct, uuid
print(7 // -2, -7 % 3, divmod(-7, 2), 2 ** 100, 10 ** 20 // 3, pow(3, -1, 7), 1 << 70, ~5, -8 >> 1, 0xFF ^ 0b1010, 1_000)
print(0.1 + 0.2, 1e16, 1e-7, 1.0, 123456789.123456789, float("inf"), -float("nan") != 0, round(2.5), round(-1.55, 1), round(12345, -2), 5 / 2, 1e22, 1.5e300 * 1e10)
print(int("-0x1f", 16), int("0b11", 0), int(" 42 "), int(3.99), float("1e3"), bool(0.0), complex(1, 2) * 1j, abs(-3.5), int.from_bytes(b"\x01\x00", "big"), (1000).to_bytes(2, "little"))
print((255).bit_length(), (7).bit_count(), (0.5).hex(), (2.0).is_integer(), (0.75).as_integer_ratio(), hash(1) == hash(1.0), True + True)
print(math.sqrt(2), math.pi, math.floor(-1.5), math.ceil(1.2), math.gcd(12, 18), math.lcm(4, 6), math.isclose(0.1 + 0.2, 0.3), math.comb(5, 2), math.log2(8), math.inf, math.prod([2, 3]), math.isqrt(17), math.hypot(3, 4))
print(sum([0.1] * 10), max([3, 1, 2], key=lambda x: -x), min("b", "a"), sorted([3, 1, 2], reverse=True), sum(range(101)), any([]), all([]))
random.seed(42)
print(random.randint(1, 100), random.choice("abc"), round(random.random(), 6), random.sample(range(10), 3))
items = [1, 2, 3, 4, 5]; random.shuffle(items); print(items)
print(statistics.mean([1, 2, 4]), statistics.median([3, 1, 2]), fractions.Fraction(3, 6), decimal.Decimal("0.1") + decimal.Decimal("0.2"))
print(struct.pack("<IHb", 1, 2, -3), struct.unpack(">Hf", b"\x00\x01?\x80\x00\x00"), struct.calcsize("<QIB"))
print(operator.itemgetter(1)([5, 6]), operator.attrgetter("real")(3), uuid.UUID(int=1), uuid.uuid5(uuid.NAMESPACE_DNS, "x"), len(str(uuid.uuid4())))
for expression in ("1 / 0", "int('x')", "[][1]", "{}['k']", "'a' + 1", "None.x", "undefined", "float('x')", "(1).foo", "len(3)", "int()[0]", "[1, 2] + (3,)", "'%d' % 'x'"):
    try:
        eval(expression)
    except Exception as e:
        print(type(e).__name__, e)
x = 10; x //= 3; x **= 2; x |= 6; print(x, 1 < 2 < 3, 1 if x else 2, x is not None, not x)
print(format(1234.5678, ",.2f"), format(0.00001234, "g"), format(1e10, "n"), f"{-5:+d} {5:+d} {3.0} {1e100} {2**0.5:.10f} {12.5:%}")
