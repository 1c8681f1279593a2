# machines: laptop, vault
SOURCE = "/home/alice/papers"
FILES = {"letter.txt": "dear bob", "with blanks.txt": "and more", "cache/skipped": "noise"}


def borg(command, *, node=laptop, where="ssh://borg@vault/./laptop", **environment):
    settings = {"BORG_PASSPHRASE": "swordfish", "BORG_REPO": where, **environment}
    prefix = " ".join(f"{key}='{value}'" for key, value in settings.items())
    return node.execute(f"{prefix} borg {command} 2>&1")


def archives(**kwargs):
    status, out = borg("list --short", **kwargs)
    assert status == 0, out
    return [line for line in out.splitlines() if line.startswith("laptop-")]


start_all()

for path, text in FILES.items():
    laptop.succeed(f"mkdir -p \"$(dirname '{SOURCE}/{path}')\" && echo '{text}' > '{SOURCE}/{path}'")
laptop.fail("test -e /var/lib/borg")

with subtest("a first backup"):
    vault.wait_for_unit("sshd")
    status, out = laptop.systemctl("start --wait borgbackup-job-papers")
    assert status == 0, out
    (only,) = archives()
    status, listing = borg(f"list --format '{{path}}{{NL}}' ::{only}")
    saved = {line.removeprefix(SOURCE[1:] + "/") for line in listing.splitlines()}
    assert saved >= {"letter.txt", "with blanks.txt"}
    assert not any(path.startswith("cache/") for path in saved), saved

with subtest("what was saved comes back"):
    laptop.succeed(f"rm -r {SOURCE}")
    status, _ = borg(f"extract ::{only} --strip-components 2")
    assert status == 0
    for path in ["letter.txt", "with blanks.txt"]:
        assert FILES[path] in laptop.succeed(f"cat 'papers/{path}'")

with subtest("every day, and those of long ago go"):
    for day in range(1, 6):
        laptop.succeed(f"date >> papers/diary && mkdir -p {SOURCE} && cp papers/diary {SOURCE}")
        laptop.start_job("borgbackup-job-papers.service")
        print(f"day {day}:", *archives())
    assert len(archives()) == 3, "three are to be kept"

with subtest("not for everybody"):
    for settings, expected in [
        (dict(BORG_PASSPHRASE="guess"), "incorrect"),
        (dict(BORG_RSH="ssh -i /nowhere"), "denied"),
    ]:
        status, out = borg("info", **settings)
        assert status != 0 and expected in out.lower(), f"{status}: {out}"

with subtest("when it runs"):
    timer = laptop.get_unit_info("borgbackup-job-papers.timer")
    assert timer["ActiveState"] == "active" and timer.get("Persistent") == "yes"
    assert laptop.get_unit_property("borgbackup-job-papers.timer", "Unit").endswith(".service")

with subtest("the vault vanishes halfway"):
    laptop.succeed(f"head -c 200M /dev/urandom > {SOURCE}/big")
    laptop.execute("systemctl start borgbackup-job-papers &")
    laptop.wait_until_succeeds("pgrep --full 'borg create'", timeout=30)
    vault.crash()
    laptop.wait_for_unit_active_state("borgbackup-job-papers.service", "failed", timeout=300)
    vault.start()
    vault.wait_for_unit("sshd.service")
    status, out = borg("check --repair </dev/null")
    assert status in (0, 1), out
    assert len(archives()) == 3
