# machines: authority, web, client
import time
from datetime import datetime, timedelta, timezone
from functools import wraps

NAMES = ["shop.test", "blog.test"]
BUNDLE = "/tmp/authority.pem"
TRIES = 8


class OutOfTries(Exception):
    pass


def stubborn(function):
    """Calls again what failed, since orders take their time."""

    @wraps(function)
    def again(*args, **kwargs):
        problems = []
        for number in range(TRIES):
            try:
                return function(*args, **kwargs)
            except Exception as problem:
                problems.append(problem)
                time.sleep(2**number / 10)
        raise OutOfTries(f"{function.__name__}: {problems[-1]}") from problems[-1]

    return again


class Certificate:
    def __init__(self, node, name, *, folder="/var/lib/acme"):
        self.node = node
        self.name = name
        self.path = f"{folder}/{name}"

    def ask(self, what, file="cert.pem"):
        return self.node.succeed(f"openssl x509 -noout -{what} -in {self.path}/{file}").strip()

    @property
    def issuer(self):
        _, _, issuer = self.ask("issuer").partition("=")
        return issuer.strip()

    @property
    def expires(self):
        text = self.ask("enddate").removeprefix("notAfter=").removesuffix(" GMT")
        return datetime.strptime(text, "%b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc)

    @property
    def fingerprint(self):
        return self.ask("fingerprint -sha256")

    def chain(self):
        lines = self.node.succeed(f"cat {self.path}/fullchain.pem").splitlines()
        current = []
        for line in lines:
            current.append(line)
            if "END CERTIFICATE" in line:
                yield "\n".join(current)
                current = []

    def __repr__(self):
        return f"<{self.name} by {self.issuer}>"


@stubborn
def issued_by(certificate: Certificate, issuer: str) -> None:
    assert issuer.casefold() in certificate.issuer.casefold(), f"{certificate}, not by {issuer}"


@stubborn
def handshake(name, trusted=True):
    how = f"--cacert {BUNDLE}" if trusted else "--insecure"
    status, out = client.execute(f"curl -sS {how} --max-time 5 https://{name}/")
    if status:
        raise Exception(f"{name}: curl gave {status}")
    return out


def configure(kind, must_work=True):
    run = web.succeed if must_work else web.fail
    here = f"/run/booted-system/specialisation/{kind}"
    status, _ = web.execute(f"[ -d {here} ]")
    if status != 0:
        here = f"/run/current-system/specialisation/{kind}"
    return run(f"{here}/bin/switch-to-configuration test 2>&1")


def modes(folder):
    for line in web.succeed(f"find {folder} -type f -printf '%m %u:%g %f\\n'").splitlines():
        mode, owner, file = line.split(" ", 2)
        yield file, int(mode, 8), owner


start_all()
authority.wait_for_unit("pebble")
authority.wait_for_open_port(15000)
client.wait_for_unit("default.target")
client.succeed(
    f"curl -kf https://authority:15000/roots/0 > {BUNDLE}",
    f"curl -kf https://authority:15000/intermediates/0 >> {BUNDLE}",
)

with subtest("until the first order there is something to show"):
    web.wait_for_unit("nginx")
    certificates = {name: Certificate(web, name) for name in NAMES}
    issued_by(certificates["shop.test"], "minica")
    handshake("shop.test", trusted=False)

for name, certificate in certificates.items():
    with subtest(f"{name} is ordered"):
        web.systemctl(f"start acme-{name}.service")
        issued_by(certificate, "pebble")
        first, *others = certificate.chain()
        assert others and first not in others
        assert timedelta(days=1) < certificate.expires - datetime.now(timezone.utc)
        assert f"hello from {name}" in handshake(name)

with subtest("who may read it"):
    for file, mode, owner in modes("/var/lib/acme/shop.test"):
        assert mode & 0o007 == 0, f"{file} is for everybody: {mode:o}"
        assert owner == "acme:nginx", (file, owner)

with subtest("what is good is not ordered again"):
    before = {name: c.fingerprint for name, c in certificates.items()}
    for name in NAMES:
        web.succeed(f"systemctl start --wait acme-{name}.service")
    assert {name: c.fingerprint for name, c in certificates.items()} == before

for kind, unit in [("apache", "httpd"), ("caddy", "caddy"), ("broken", None)]:
    with subtest(f"specialisation {kind}"):
        output = configure(kind, must_work=unit is not None)
        if unit is None:
            assert "warning: the following units failed" in output
            continue
        try:
            web.wait_for_unit(unit)
            handshake("blog.test")
        except (OutOfTries, AssertionError) as problem:
            _, journal = web.execute(f"journalctl --boot --unit {unit} --lines 50")
            print(journal)
            raise problem
