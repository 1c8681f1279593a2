@polling_condition
def web_server_lives():
    "check that the web server lives"
    machine.succeed("pgrep -x nginx")


machine.wait_for_unit("nginx")
web_server_lives.wait()
with web_server_lives:
    machine.succeed("curl -f http://localhost/")
    machine.sleep(2)
