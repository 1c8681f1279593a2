# What ends machines for good; then all cases are run, unless the script runs in itself.


cannot_fail("Driver.join_all join_all", "however a machine has ended, it has ended")


@good("Driver.join_all join_all Machine.shutdown", "wait until all machines have powered off")
def _():
    small_is(True)
    debian.wait_for_unit("multi-user.target", timeout=SOON)
    debian.execute("poweroff", check_output=False)
    small.execute("poweroff", check_output=False)
    t.assertIsNone(join_all())
    t.assertEqual([machine.booted for machine in machines], [False, False])


@fails(
    "Driver.terminate_test",
    "ends the test, with all machines",
    raises=RequestedAssertionFailed,
    text="^the script terminated the test$",
)
def _():
    small.start()
    try:
        driver.terminate_test()
    finally:
        t.assertEqual([machine.booted for machine in machines], [False, False])


cannot_be_good("Driver.terminate_test", "it always fails the test")

if hasattr(driver, "end_again"):
    driver.end_again()
else:
    failed = run_cases() + names_without_case()
    if failed:
        raise RequestedAssertionFailed(f"{len(failed)} things are wrong in {len(CASES)} cases:\n" + "\n".join(failed))
    print(f"all {len(CASES)} cases went as expected")
