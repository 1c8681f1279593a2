# expect: 4:1 error call-non-callable
import time

time(3)
