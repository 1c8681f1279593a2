import time


def check():
    return machine.succeed("hostname")


class State:
    pass


check = check().strip()
State = State()
time = time.time()
print(check, State, time)
