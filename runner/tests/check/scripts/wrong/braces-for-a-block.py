# expect: 2:22 error invalid-syntax `:`
if (machine.is_up()) {
    machine.succeed("true")
}
