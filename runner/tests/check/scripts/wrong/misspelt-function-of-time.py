# expect: 4:6 error unresolved-attribute did you mean `sleep`
import time

time.slep(3)
