# expect: 4:16 error unresolved-attribute `now`
import datetime

print(datetime.now())
