def main():
    prepare()
    check(EXPECTED)


def prepare():
    machine.wait_for_unit("app.service")


def check(expected):
    assert machine.succeed("app --status").strip() == expected, Report().text()


class Report:
    def text(self):
        return f"{HEADER}: {machine.name}"


EXPECTED = "ready"
HEADER = "state"

main()
