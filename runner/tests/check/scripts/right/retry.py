from datetime import timedelta


def answered(last):
    if last:
        machine.log("the last try")
    status, _ = machine.execute("curl -f http://localhost/")
    return status == 0


def answered_typed(last_try: bool) -> bool:
    return machine.execute("true")[0] == 0


retry(answered)
retry(answered_typed, 30)
retry(answered, timeout_seconds=60)
retry(answered, timeout=timedelta(minutes=2))
retry(lambda last: machine.succeed("cat /run/state").strip() == "done")
retry(lambda _: "x" in machine.succeed("ls"), timeout_seconds=10)
