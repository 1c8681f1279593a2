# expect: 4:11 error unresolved-attribute did you mean `search`
import re

assert re.serach("a", "b")
