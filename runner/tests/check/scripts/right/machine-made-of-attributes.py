def another(title):
    vm = create_machine({"startCommand": "run-it", "name": title})
    driver.machines.append(vm)
    return vm


machine.shutdown()
twin = another("twin")
twin.start()
twin.succeed("test -s /run/state")
