import collections, heapq, bisect, array, ipaddress, urllib.parse, html, secrets, inspect, ast, logging, warnings, platform, socket, signal, unittest, argparse, pprint, getpass, sched, select, selectors, xml.etree.ElementTree, http.client, email.message, mimetypes, fileinput, linecache, locale, numbers, optparse, cmd, code, codecs, colorsys, graphlib, hmac, tomllib, timeit, tokenize, types, zoneinfo, errno, importlib, pkgutil, reprlib, runpy, shelve, threading, trace
d = collections.defaultdict(list); d["a"].append(1)
print(d, collections.Counter("abca").most_common(2), collections.OrderedDict(a=1), collections.deque([1, 2, 3], maxlen=2), collections.namedtuple("N", "x y")(1, 2), collections.ChainMap({"a": 1}, {"b": 2})["b"])
h = [3, 1, 2]; heapq.heapify(h); print(heapq.heappop(h), bisect.bisect([1, 3], 2), array.array("i", [1, 2]), heapq.nlargest(2, [1, 5, 3]))
net = ipaddress.ip_network("192.168.1.0/30"); print(list(net.hosts()), ipaddress.ip_address("2001:db8::1").exploded, ipaddress.ip_address("10.0.0.1") in ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("192.168.1.1/24").network, ipaddress.ip_address("127.0.0.1").is_loopback)
u = urllib.parse.urlparse("https://u:p@host:8080/p/a?q=1&r=%C3%BC#f"); print(u.hostname, u.port, u.path, urllib.parse.parse_qs(u.query), urllib.parse.quote("a b/ü"), urllib.parse.urlencode({"a": 1, "b": "x y"}), urllib.parse.urljoin("http://a/b/c", "../d"), urllib.parse.unquote("%20"))
print(html.escape("<a>"), html.unescape("&amp;"), len(secrets.token_hex(4)), hmac.new(b"k", b"m", "sha256").hexdigest()[:8])
def sig(a, b: int = 2, *c, d, **e) -> str: "docs"
print(inspect.signature(sig), inspect.getdoc(sig), ast.literal_eval("{'a': [1, (2,)]}"), ast.unparse(ast.parse("x=1+2")), ast.dump(ast.parse("1", mode="eval")))
log = logging.getLogger("t"); log.addHandler(logging.NullHandler()); log.warning("x"); print(logging.getLevelName(30), log.name)
import sys
handler = logging.StreamHandler(sys.stdout); handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s")); log.addHandler(handler); log.error("bad %d", 5)
with warnings.catch_warnings(record=True) as w: warnings.simplefilter("always"); warnings.warn("careful", DeprecationWarning); print(w[0].category.__name__, w[0].message)
print(socket.inet_aton("1.2.3.4"), socket.htons(1), socket.AF_INET.name, signal.SIGTERM.value, errno.errorcode[2], signal.Signals(9).name)
a, b = socket.socketpair(); a.sendall(b"over"); print(b.recv(10)); a.close(); b.close()
server = socket.create_server(("127.0.0.1", 0)); client = socket.create_connection(server.getsockname()); conn, _ = server.accept(); conn.sendall(b"tcp"); print(client.recv(3), select.select([client], [], [], 0)[0]); [s.close() for s in (server, client, conn)]
p = argparse.ArgumentParser(prog="x"); p.add_argument("--n", type=int, default=3); p.add_argument("f", nargs="*"); print(p.parse_args(["--n", "4", "a"]))
pprint.pprint({"b": list(range(30)), "a": {"x": "y" * 30}}); print(tomllib.loads("[a]\nb = 1\nc = [true, 'x']"))
class Case(unittest.TestCase):
    def test(self): self.assertEqual(1, 1)
    def fails(self): self.assertEqual({"a": 1}, {"a": 2})
print(unittest.TestLoader().loadTestsFromTestCase(Case).countTestCases())
t_ = unittest.TestCase()
for check in (lambda: t_.assertIn(1, [2]), lambda: t_.assertEqual("a\nb", "a\nc"), lambda: t_.assertRegex("abc", "x"), lambda: t_.assertTrue(0), lambda: t_.assertGreater(1, 2), lambda: t_.assertDictEqual({"a": 1}, {"a": 2}), lambda: t_.assertListEqual([1], [2]), lambda: t_.assertIsNone(1), lambda: t_.assertAlmostEqual(1, 1.1), lambda: t_.assertRaises(KeyError, lambda: None), lambda: t_.assertCountEqual([1, 2], [2]), lambda: t_.assertIsInstance(1, str), lambda: t_.fail("own")):
    try: check()
    except AssertionError as e: print(str(e).splitlines()[0])
with t_.assertRaises(ValueError) as caught: int("x")
print(caught.exception)
with t_.assertRaisesRegex(ValueError, "invalid"): int("y")
import unittest.mock
m = unittest.mock.Mock(return_value=5); print(m(1), m.call_args, m.called)
with unittest.mock.patch("os.getcwd", return_value="/patched"): import os; print(os.getcwd())
print(graphlib.TopologicalSorter({"b": {"a"}}).static_order().__class__.__name__, codecs.encode("abc", "rot13"), list(graphlib.TopologicalSorter({"b": {"a"}}).static_order()))
print(importlib.import_module("json").__name__, reprlib.repr("x" * 100), sys.version_info[:2] >= (3, 12), sys.maxsize, sys.byteorder, platform.system(), sys.getrecursionlimit())
q = __import__("queue").PriorityQueue(); q.put((2, "b")); q.put((1, "a")); print(q.get())
