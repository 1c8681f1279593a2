out = machine.succeed("echo a b")
assert out
assert out, "empty"
assert (out)
assert ("a" in out and "b" in out), "one is missing"
assert (
    "a" in out
), "no a"
assert "a" in out, ("no a", out)
assert ("a", "b") == tuple(out.split()), out
assert out in ("a b\n", "b a\n")
assert (1, 2)[0] == 1
assert not (3 in (1, 2))
assert 1 <= len(out) <= 10
assert isinstance(out, (str, bytes))
assert all((out, True)), f"{out!r}"
assert len(out.split()) == 2, "expected two words, got: " + out
