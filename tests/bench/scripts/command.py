# How long a command takes that does nothing.
from measure import Results, seconds

results = Results(driver.out_dir)
machine.wait_for_unit("multi-user.target")
machine.succeed("true")


def command():
    machine.succeed("true")


def hundred():
    for _ in range(100):
        command()


results.add('succeed("true")', "ms", [seconds(command) * 1000 for _ in range(200)])
results.add('100 × succeed("true")', "s", [seconds(hundred)])
