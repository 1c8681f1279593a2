# expect: 3:21 error unresolved-import `Paths`
# expect: 4:33 error unresolved-import `Machin`
from pathlib import Paths
from test_driver.machine import Machin

print(Paths, Machin)
