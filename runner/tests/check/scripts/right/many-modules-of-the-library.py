import argparse, array, bisect, calendar, collections, configparser, copy, csv, difflib, fnmatch
import glob, gzip, heapq, inspect, io, ipaddress, itertools, logging, operator, pprint, random
import secrets, select, shlex, signal, stat, statistics, string, struct, tarfile, textwrap, traceback
import unittest, urllib.parse, uuid, warnings, zipfile, zlib
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from functools import partial, reduce
from itertools import chain, count, islice, product
from types import SimpleNamespace

network = ipaddress.ip_network("192.168.1.0/24")
assert ipaddress.ip_address(machine.succeed("hostname -i").strip()) in network
words = Counter(machine.succeed("cat /etc/services").split())
print(words.most_common(3), defaultdict(list)["x"], deque([1], maxlen=3), OrderedDict(a=1))
rows = list(csv.DictReader(io.StringIO("a,b\n1,2\n")))
print(rows[0]["a"], shlex.quote("it's"), textwrap.dedent("  x"), uuid.uuid4(), urllib.parse.quote("a b"))
parser = configparser.ConfigParser()
parser.read_string("[a]\nb = 1\n")
assert parser["a"]["b"] == "1"
Point = namedtuple("Point", ["x", "y"])
print(Point(1, y=2).x, SimpleNamespace(a=1).a, reduce(operator.add, [1, 2]), list(islice(count(), 2)))
for a, b in product("ab", [1, 2]):
    machine.succeed(f"echo {a}{b} {random.choice(string.ascii_letters)}")
print(list(chain([1], [2])), partial(int, base=2)("11"), struct.pack("<I", 1), statistics.mean([1, 2]))
logging.basicConfig(level=logging.INFO)
logging.getLogger(__name__).info("started %s", machine.name)
warnings.simplefilter("ignore")
pprint.pprint(copy.deepcopy(rows))
