from test_driver.driver import Driver
from test_driver.logger import AbstractLogger, LogLevel
from test_driver.machine import Machine, QemuMachine
from test_driver.polling_condition import PollingCondition, PollingConditionError
from test_driver.vlan import VLan
import test_driver.errors


def say(logger: AbstractLogger, d: Driver, v: VLan, m: QemuMachine) -> None:
    logger.set_log_level(LogLevel.INFO)
    print(d.out_dir, v.nr, m.name)


say(log, driver, vlan1, machine)
condition = PollingCondition(lambda: True, log, seconds_interval=1.0, description="always")
condition.check(force=True)
try:
    condition.maybe_raise()
except PollingConditionError as e:
    print(e)
except test_driver.errors.MachineError:
    raise
kind: type[Machine] = Machine
print(kind)
