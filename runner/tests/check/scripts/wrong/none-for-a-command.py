# expect: 5:17 error invalid-argument-type `None`
import re

found = None
machine.succeed(found)
