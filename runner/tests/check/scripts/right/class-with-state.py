import time


class Patience:
    pause = 1
    longest = 16
    log_of_failures = []

    def next_pause(self):
        now = self.pause
        self.pause = min(2 * self.pause, self.longest)
        return now

    def several_tries(self, count):
        def decorate(function):
            def tried(*args, quiet: bool = False, **kwargs):
                for number in range(1, count + 1):
                    try:
                        return function(*args, **kwargs)
                    except Exception as problem:
                        self.log_of_failures.append((function.__name__, number, problem.args))
                        if number == count:
                            raise
                    if not quiet:
                        print(f"try {number} of {count} was in vain")
                    time.sleep(self.next_pause())

            return tried

        return decorate


patience = Patience()


@patience.several_tries(5)
def page(node, path, silent=True):
    flags = "-sf" if silent else "-f"
    return node.succeed(f"curl {flags} http://localhost/{path}")


print(page(machine, "index.html"))
print(page(machine, "other.html", silent=False, quiet=True))
print(patience.log_of_failures, patience.pause)
