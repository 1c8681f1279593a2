# expect: 4:7 warning possibly-missing-submodule `request`
import urllib

print(urllib.request.urlopen("http://localhost"))
