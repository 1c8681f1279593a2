import re, textwrap, string, shlex, base64, binascii, difflib, json
name, value = "x", 3.14159
print(f"{name!r:>6}|{value:.2f}|{value:>10.3e}|{1234567:,}|{255:#x}|{5:08b}|{'a':^5}|{name=}|{value=:.1f}")
print(f"{'nested ' + f'{name + "q"}'} {", ".join(f'{i}' for i in range(3))} {{}}")
print(f"""multi {
    name
} line""")
width = 8
print(f"{name:{width}}|{value:{width}.{2}f}|{True!s:>6}|{None}")
print("{0} {1!r} {k:>4} {0[0]}".format("ab", "c", k=5), "%s %5.1f %-4d| %% %x %r" % ("s", 2.25, 7, 255, "é"))
print(re.findall(r"(\w+)=(\d+)", "a=1, bb=22"), re.sub(r"(?P<x>\d)", lambda m: f"<{m['x']}>", "a1b2"))
print(re.search(r"^line (\d+)$", "x\nline 7\n", re.M).group(1), re.split(r"[,;]\s*", "a, b;c"), re.escape("a.b*"))
print(re.compile(r"(?i)HELLO").match("hello world").span(), re.fullmatch(r"\d{2,3}", "1234"), re.sub(r"\s+", " ", " a \n b "))
print(re.findall(r"(?<=\$)\d+(?!\d|%)", "$5 $10% $200"), re.match(r"(?:a|b)+?c", "ababc").end(), bool(re.search("ÄÖ", "xäöx", re.I)))
print(textwrap.dedent("""\
    a
      b
    """), textwrap.indent("x\ny", "> "), textwrap.fill("the quick brown fox", 10), sep="\n")
print(string.Template("$a ${b}").substitute(a=1, b=2), string.ascii_lowercase[:5], string.capwords("a b"))
print(shlex.quote("it's"), shlex.split("a 'b c' d\\ e"), shlex.join(["a", "b c"]))
print(base64.b64encode("ü".encode()).decode(), base64.b64decode("w7w=").decode(), base64.b32encode(b"x"), binascii.hexlify(b"\x00\xff"))
print("a,b,,c".split(","), " x ".strip(), "abc".removeprefix("a"), "x=y=z".partition("="), "aXbX".rsplit("X", 1), "tEst".swapcase().title())
print("ß".upper(), "İ".lower() == "i̇", "straße".casefold(), "ab\tc".expandtabs(4), "x".zfill(3), "é".isalpha(), "½".isnumeric(), "a b".isidentifier())
print("😀".encode(), len("😀"), "\u00e9\N{GREEK SMALL LETTER ALPHA}", "\x41", r"\n", b"bytes\xff", ascii("é😀"))
print(*difflib.unified_diff(["a", "b"], ["a", "c"], lineterm=""), sep="\n")
print("line1\nline2\r\nline3".splitlines(), "a-b_c".translate(str.maketrans("-_", "  ")), "abc"[::-1], "abcabc".rfind("b"), "z" > "a", "x" * 3)
print(json.dumps({"a": [1, 2.5, None, True], "ü": "✓\n"}), json.dumps({"b": 1, "a": 2}, sort_keys=True, indent=2, ensure_ascii=False))
print(json.loads('{"x": [1e3, -0.5, "\\u00e9"], "y": {"z": null}}'), json.loads("[]"))
try:
    json.loads('{"a": }')
except json.JSONDecodeError as e:
    print(e)
