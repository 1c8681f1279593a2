# machines: a, b, c
import queue
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

with ThreadPoolExecutor(max_workers=3) as pool:
    for name in pool.map(lambda m: m.succeed("hostname").strip(), machines):
        print(name)
    futures = {pool.submit(m.execute, "uptime"): m for m in machines}
    for future in as_completed(futures):
        status, out = future.result()
        print(futures[future].name, status, out)

results: queue.Queue[str] = queue.Queue()
done = threading.Event()
lock = threading.Lock()


def worker():
    with lock:
        results.put(a.succeed("date"))
    done.set()


threading.Thread(target=worker).start()
assert done.wait(60)
print(results.get(timeout=1))
