# machines: first, second, worker
import json
import time

MANAGERS = (first, second)
everyone = [*MANAGERS, worker]
PAUSE = "/nix/store/8qkg3h1yzf0m2c1h6p5m5n8xw4rj9s2v-pause.tar"
ECHO = "/nix/store/1b7q0k6m3y2pgy1c9d8s4l6r5n7x0z9w-echo.yaml"


def kubectl(command, through=first, **kwargs):
    return through.succeed(f"k3s kubectl {command}", **kwargs)


def objects(kind, through=first, **labels):
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    option = f"-l {selector}" if selector else ""
    return json.loads(kubectl(f"get {kind} {option} -o json", through=through))["items"]


def is_ready(node) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])


def ready_nodes(through=first):
    return {node["metadata"]["name"] for node in objects("nodes", through) if is_ready(node)}


def addresses_of_pods(app: str, count: int, patience: int = 300) -> dict[str, str]:
    deadline = time.monotonic() + patience
    running = {}
    while time.monotonic() < deadline:
        running = {
            pod["metadata"]["name"]: pod["status"]["podIP"]
            for pod in objects("pods", app=app)
            if pod["status"]["phase"] == "Running"
        }
        if len(running) == count:
            return running
        time.sleep(1)
    raise Exception(f"{app}: {len(running)} of {count} pods are running")


start_all()

with subtest("managers come up, then the worker"):
    for manager in MANAGERS:
        manager.wait_for_unit("k3s")
        manager.wait_for_open_port(6443, timeout=300)
    worker.wait_for_unit("k3s")

with subtest("images are there before the pods are"):
    parallel(*[lambda m=m: m.succeed(f"k3s ctr image import {PAUSE}") for m in everyone])

with subtest("all are ready"):
    retry(lambda last: ready_nodes() == {m.name for m in everyone}, timeout_seconds=300)

with subtest("pods answer from everywhere"):
    kubectl(f"create -f {ECHO}")
    pods = addresses_of_pods("echo", len(everyone))
    for (name, address), m in zip(sorted(pods.items()), everyone):
        answer = m.wait_until_succeeds(f"nc -w 5 {address} 7000 < /dev/null", timeout=60)
        assert answer.strip() == name, f"{answer=}"
    some, other, *_ = pods
    ping = kubectl(f"exec {some} -- ping -c 3 {pods[other]}", timeout=30)
    assert " 0% packet loss" in ping, ping

with subtest("one manager is enough"):
    first.crash()
    second.wait_until_succeeds("! k3s kubectl get nodes first | grep -w Ready", timeout=600)
    log.info(kubectl("get nodes -o wide", through=second))
    assert ready_nodes(through=second) >= {"worker"}
    first.start()
    first.wait_for_unit("k3s")

for pod in objects("pods", app="echo"):
    print(pod["metadata"]["name"], pod["spec"].get("nodeName", "nowhere"))
kubectl("delete daemonset echo --wait=true")
group(*everyone).shutdown()
