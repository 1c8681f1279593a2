# machines: one, two
driver.start_all()
with driver.subtest("by the driver"):
    for machine in driver.machines:
        machine.wait_for_unit("multi-user.target")
driver.logger.info("said by the driver's log")
(driver.out_dir / "note.txt").write_text("kept\n")
driver.check_polling_conditions()
assert driver.vlans == vlans
print(driver.tests[:20], driver.global_timeout)
if driver.interactive:
    print("somebody watches")
driver.retry(lambda last: True)
driver.join_all()
join_all()
