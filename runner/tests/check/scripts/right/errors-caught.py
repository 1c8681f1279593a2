from test_driver.errors import MachineError, RequestedAssertionFailed, TestScriptError

try:
    machine.succeed("false")
except RequestedAssertionFailed as error:
    print(error, error.args)
else:
    raise Exception("it should have failed")
try:
    machine.wait_for_unit("nowhere.service", timeout=5)
except (MachineError, TestScriptError):
    pass
finally:
    machine.log("tried")
try:
    machine.succeed("false")
except Exception as e:
    assert "failed" in str(e)
    e.add_note("as it should")
try:
    int(machine.succeed("hostname"))
except ValueError as e:
    try:
        raise RuntimeError("no number") from e
    except RuntimeError as outer:
        print(outer.__cause__, repr(outer))
try:
    machine.succeed("false")
except:
    pass


class Odd(Exception):
    def __init__(self, what):
        super().__init__(f"odd: {what}")


with t.assertRaises(Odd):
    raise Odd("x")
with t.assertRaises(RequestedAssertionFailed):
    machine.succeed("false")
print("and on it goes")
