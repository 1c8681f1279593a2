# expect: 2:8 error unresolved-import `requests`
import requests

print(requests.get("http://localhost"))
