kept = create_machine("run-kept-vm", name="kept", keep_vm_state=True)
kept.start()
assert kept.keep_vm_state and kept.keep_machine_state
