# Files between host and guest.

MEBIBYTE = 1 << 20
LARGE = 64 * MEBIBYTE

# What find says of each entry of the tree: kind, mode, owner, target of the link.
ENTRIES = """
. d 755 root:root
empty d 700 root:root
link l 777 root:root sub/program
nowhere l 777 root:root /no/such/file
sparse f 644 root:root
sub d 750 root:root
sub/program f 755 root:root
sub/secret f 400 root:root
with a space f 640 root:root
""".strip()
FIND = "cd {} && find . -printf '%P %y %m %u:%g %l\\n' | sed 's/^ /. /; s/ *$//' | sort"


def make_tree():
    """A tree on the host with what is easily lost on the way."""
    tree = Path(tempfile.mkdtemp()) / "tree"
    for folder in ("empty", "sub"):
        (tree / folder).mkdir(parents=True)
    (tree / "sub" / "program").write_text("#!/bin/sh\necho it runs\n")
    (tree / "sub" / "secret").write_text("")
    (tree / "with a space").write_text("text\n")
    (tree / "link").symlink_to("sub/program")
    (tree / "nowhere").symlink_to("/no/such/file")
    with open(tree / "sparse", "wb") as sparse:
        sparse.seek(LARGE)
        sparse.write(b"end")
    modes = {
        ".": 0o755,
        "empty": 0o700,
        "sub": 0o750,
        "sub/program": 0o755,
        "sub/secret": 0o400,
        "with a space": 0o640,
        "sparse": 0o644,
    }
    for name, mode in modes.items():
        os.chmod(tree / name, mode)
    return tree


def entries_of(tree):
    """What `find` would say of a tree of the host, but for the owners."""
    found = []
    for path in [tree, *tree.rglob("*")]:
        about = path.lstat()
        kind = {stat.S_IFDIR: "d", stat.S_IFREG: "f", stat.S_IFLNK: "l"}[stat.S_IFMT(about.st_mode)]
        target = f" {os.readlink(path)}" if path.is_symlink() else ""
        found.append(f"{path.relative_to(tree)} {kind} {stat.S_IMODE(about.st_mode):o}{target}")
    return sorted(found)


def sha256_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@good("Machine.copy_from_host", "copies a tree as it is")
def _():
    tree = make_tree()
    t.assertIsNone(debian.copy_from_host(str(tree), "/root/made/on/the/way"))
    t.assertEqual(debian.succeed(FIND.format("/root/made/on/the/way")).strip(), "\n".join(sorted(ENTRIES.splitlines())))
    t.assertEqual(debian.succeed("/root/made/on/the/way/link"), "it runs\n")
    t.assertEqual(debian.succeed("tail -c 3 /root/made/on/the/way/sparse"), "end")
    t.assertLess(
        int(debian.succeed("stat -c %b /root/made/on/the/way/sparse")), MEBIBYTE // 512, "the holes are filled"
    )


@good("Machine.copy_from_machine", "copies a tree as it is")
def _():
    # A sandbox allows no such bits: they are left out.
    debian.succeed("chmod u+s /root/made/on/the/way/sub/program", "chmod g+s /root/made/on/the/way/sub")
    t.assertIsNone(debian.copy_from_machine("/root/made/on/the/way", "trees"))
    copy = driver.out_dir / "trees" / "way"
    t.assertEqual(entries_of(copy), sorted(re.sub(" root:root", "", line) for line in ENTRIES.splitlines()))
    t.assertEqual((copy / "link").read_text(), "#!/bin/sh\necho it runs\n")
    t.assertEqual((copy / "sparse").stat().st_size, LARGE + 3)
    t.assertLess((copy / "sparse").stat().st_blocks, MEBIBYTE // 512, "the holes are filled")


@good("Machine.copy_from_host Machine.copy_from_machine", "a large file comes and goes whole")
def _():
    large = Path(tempfile.mkdtemp()) / "large"
    large.write_bytes(os.urandom(LARGE))
    debian.copy_from_host(large, "/root/large")
    t.assertEqual(debian.succeed("sha256sum < /root/large").split()[0], sha256_of(large))
    debian.succeed("head -c 1M /dev/urandom >> /root/large")
    debian.copy_from_machine("/root/large")
    t.assertEqual(sha256_of(driver.out_dir / "large"), debian.succeed("sha256sum < /root/large").split()[0])
    (driver.out_dir / "large").unlink()


def text_file(name="text.txt", text="some text\n"):
    file = Path(tempfile.mkdtemp()) / name
    file.write_text(text)
    return file


@good("Machine.copy_from_host", "what is a folder already gets the copy")
def _():
    debian.copy_from_host(text_file(), "/root")
    t.assertEqual(debian.succeed("cat /root/text.txt; stat -c %u:%g /root/text.txt"), "some text\n0:0\n")
    debian.copy_from_host(text_file(text="another\n"), "/root/text.txt")
    t.assertEqual(debian.succeed("cat /root/text.txt"), "another\n")


good(
    "Machine.copy_from_host",
    "a relative path is in /tmp, where commands run",
    lambda: [
        debian.copy_from_host(text_file(), "relative/name"),
        debian.succeed("cat /tmp/relative/name relative/name"),
    ],
    [None, "some text\n" * 2],
)


@good("Machine.copy_from_host Machine.copy_from_machine", "works in a guest with nothing but busybox, too")
def _():
    small.copy_from_host(text_file(), "/tmp/a/b.txt")
    small.copy_from_machine("/tmp/a")
    t.assertEqual((driver.out_dir / "a" / "b.txt").read_text(), "some text\n")


fails(
    "Machine.copy_from_host",
    "there must be such a file",
    lambda: debian.copy_from_host("/no/file/of/the/host", "/tmp/x"),
    FileNotFoundError,
    "no such file or directory on the host: '/no/file/of/the/host'",
)
fails(
    "Machine.copy_from_host",
    "a file cannot lie in a file",
    lambda: debian.copy_from_host(text_file(), "/etc/passwd/x"),
    RequestedAssertionFailed,
    "^debian: cannot copy to /etc/passwd: ",
)
fails(
    "Machine.copy_from_machine Machine.copy_from_vm",
    "there must be such a file",
    lambda: debian.copy_from_machine("/no/file/of/the/guest"),
    RequestedAssertionFailed,
    "^debian: cannot copy /no/file/of/the/guest: No such file or directory",
)
good(
    "Machine.copy_from_machine",
    "a relative path is in /tmp, where commands run",
    lambda: [debian.copy_from_machine("relative/name"), (driver.out_dir / "name").read_text()],
    [None, "some text\n"],
)


@good("Machine.copy_from_machine", "follows a link, and reads what the kernel makes up")
def _():
    debian.succeed("ln -s /proc/version /root/version-link")
    debian.copy_from_machine("/root/version-link")
    copy = driver.out_dir / "version-link"
    t.assertFalse(copy.is_symlink())
    t.assertRegex(copy.read_text(), "^Linux version ")


@good("Machine.copy_from_vm", "is the old name of copy_from_machine")
def _():
    t.assertIsNone(debian.copy_from_vm("/etc/hostname", "old-name"))
    t.assertTrue((driver.out_dir / "old-name" / "hostname").exists())


@good("Machine.copy_from_host_via_shell", "copies a file by commands alone")
def _():
    file = Path(tempfile.mkdtemp()) / "bytes"
    file.write_bytes(bytes(range(256)) * 1000)
    t.assertIsNone(debian.copy_from_host_via_shell(file, "/root/via/shell"))
    t.assertEqual(debian.succeed("sha256sum < /root/via/shell").split()[0], sha256_of(file))


fails(
    "Machine.copy_from_host_via_shell",
    "there must be such a file",
    lambda: debian.copy_from_host_via_shell("/no/file/of/the/host", "/tmp/x"),
    FileNotFoundError,
    "no such file or directory on the host: '/no/file/of/the/host'",
)
fails(
    "Machine.copy_from_host_via_shell",
    "the guest must be able to write it",
    lambda: debian.copy_from_host_via_shell(text_file(), "/proc/no/file"),
    RequestedAssertionFailed,
    "^command `mkdir -p .* failed \\(exit code 1\\)$",
)
