attempts = 0
last_output = None


def attempt(command):
    global attempts, last_output
    attempts += 1
    status, last_output = machine.execute(command)
    return status == 0


def make_counter():
    count = 0

    def increment():
        nonlocal count
        count += 1
        return count

    return increment


counter = make_counter()
counter()
assert counter() == 2
retry(lambda last: attempt("true"))
assert attempts == 1
print(last_output)


def set_later():
    global made_here
    made_here = machine.succeed("hostname")


set_later()
print(made_here)
