# expect: 3:8 error unresolved-import `jsno`
# expect: 4:6 error unresolved-import `pathlibs`
import jsno
from pathlibs import Path

print(jsno, Path)
