# expect: 3:12 error unavailable-module curses
# expect: 3:25 error unavailable-module readline
import os, curses, sys, readline

print(os, sys, curses, readline)
