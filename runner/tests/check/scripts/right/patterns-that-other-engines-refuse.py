import re

text = machine.succeed("cat /etc/hosts")
for pattern in (
    re.compile(r"(?P<quote>['\"]).*?(?P=quote)"),
    re.compile(r"(a)?b(?(1)c|d)"),
    re.compile(r"(?<=a)b(?!c)(?<!d)"),
    re.compile(r"a++b*+c?+(?>d|e)"),
    re.compile(r"\bword\B|\Aab\Z"),
    re.compile(r"x{,3}y{2,}z{1}{|}"),
    re.compile(r"[]a-][^]b][\w.-]+[\d\s]"),
    re.compile("\\x41\\u00e9\\N{DIGIT ONE}\\0\\07"),
    re.compile(r"(?i:x)(?-i:y)(?#a comment)(?s-m:.)"),
    re.compile(
        r"""
        (?x)     # spaces do not count
        \d+ \s*  # a number, and [ brackets (
        """.strip()
    ),
    re.compile(r"\$\{HOME\}|\.\*|\(\)|/|=|@|%|&|~|#|-|!|\"|'"),
    re.compile(r"(\w+) \1"),
    re.compile("äöü|日本|🦀+"),
    re.compile(""),
    re.compile(b"bytes[\x00-\xff]"),
):
    print(pattern.pattern)
print(re.sub(r"(?m)^\s+|\s+$", r"\g<0>", text), re.split("", "ab"))
