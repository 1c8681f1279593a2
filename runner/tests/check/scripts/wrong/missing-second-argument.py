# option: enableOCR
# expect: 6:1 error missing-argument `target`
# expect: 7:1 error missing-argument `regexp`
# expect: 8:1 error missing-argument `state`
# expect: 9:1 error missing-argument `regex`
machine.copy_from_host("/tmp/x")
machine.wait_until_tty_matches("1")
machine.wait_for_unit_active_state("nginx.service")
machine.wait_for_text()
