# expect: 4:51 error invalid-argument-type
from functools import partial

parallel(partial(machine.wait_for_unit, "nginx"), partial(machine.wait_for_unit))
