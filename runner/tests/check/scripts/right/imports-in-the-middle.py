machine.wait_for_unit("multi-user.target")

with subtest("it survives"):
    machine.reboot()
    import time

    time.sleep(3)
    machine.connect()

import os, math, subprocess
from pathlib import Path as P
import xml.etree.ElementTree as ET
import urllib.request
import os.path
import concurrent.futures


def later():
    import hashlib
    from base64 import b64encode

    return b64encode(hashlib.sha256(b"x").digest())


print(math.ceil(1.5), P("/tmp"), ET.fromstring("<a/>").tag, later(), time.time())
print(subprocess.run(["true"]).returncode, os.path.basename("/a/b"))
print(urllib.request.Request("http://x").full_url, concurrent.futures.Future().done())
