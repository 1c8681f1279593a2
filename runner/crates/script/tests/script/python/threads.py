import queue, threading, time
from concurrent.futures import ThreadPoolExecutor

jobs, done = queue.Queue(), []
lock = threading.Lock()

def worker():
    while (job := jobs.get()) is not None:
        with lock:
            done.append(job * job)
        jobs.task_done()

threads = [threading.Thread(target=worker, name=f"w{i}") for i in range(4)]
for thread in threads:
    thread.start()
for i in range(100):
    jobs.put(i)
jobs.join()
for _ in threads:
    jobs.put(None)
for thread in threads:
    thread.join()
print(sorted(done) == [i * i for i in range(100)], threads[0].name, threads[0].is_alive())

event = threading.Event()
timer = threading.Timer(0.01, event.set)
timer.start()
print(event.wait(10), threading.active_count() >= 1)

with ThreadPoolExecutor(3) as pool:
    print(list(pool.map(lambda x: x + 1, range(5))))
    future = pool.submit(int, "x")
    print(type(future.exception()).__name__)

local = threading.local()
local.x = 1
seen = []
t2 = threading.Thread(target=lambda: seen.append(hasattr(local, "x")), daemon=True)
t2.start(); t2.join()
print(seen, threading.current_thread() is threading.main_thread())

condition = threading.Condition()
items = []
def consume():
    with condition:
        condition.wait_for(lambda: items, timeout=10)
        print("got", items)
t3 = threading.Thread(target=consume); t3.start()
with condition:
    items.append(1); condition.notify_all()
t3.join()
semaphore = threading.BoundedSemaphore(1)
print(semaphore.acquire(blocking=False), semaphore.acquire(blocking=False))
barrier = threading.Barrier(2)
t4 = threading.Thread(target=barrier.wait); t4.start(); barrier.wait(); t4.join()
print("barrier")
try:
    queue.Queue().get(timeout=0.01)
except queue.Empty as e:
    print("empty", repr(e))
start = time.monotonic(); time.sleep(0.02); print(time.monotonic() - start >= 0)
