# expect: 5:19 warning unit-without-suffix app.service
# expect: 6:18 warning unit-without-suffix backup.timer
# expect: 7:33 warning unit-without-suffix app.service
# expect: 8:36 warning unit-without-suffix app.service
machine.start_job("app.servce")
machine.stop_job("backup.timr")
print(machine.get_unit_property("app.srevice", "Id"))
machine.wait_for_unit_active_state("app.serivce", "inactive")
