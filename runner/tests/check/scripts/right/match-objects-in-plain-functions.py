import re


def version_of(program):
    out = machine.succeed(f"{program} --version")
    return re.search(r"(\d+\.\d+)", out).group(1)


def port_of(text):
    match = re.match(r".*:(\d+)$", text)
    return int(match.group(1))


print(version_of("nginx"), port_of("localhost:80"))
