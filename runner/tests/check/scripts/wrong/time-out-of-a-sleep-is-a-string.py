# expect: 5:15 error invalid-argument-type
# expect: 6:12 error invalid-argument-type
import time

machine.sleep("3")
time.sleep("3")
