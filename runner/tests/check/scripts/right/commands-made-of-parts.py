user = "alice"
machine.succeed("echo one " "two")
machine.succeed("if test -e /a; then" + " echo a; " + "fi")
machine.succeed(
    "mkdir -p /srv/www && "
    f"chown {user} /srv/www && "
    "chmod 755 /srv/www"
)
machine.succeed("echo {} | tee /tmp/{}".format("'quoted", user))
machine.succeed("su - %s -c 'id'" % user)
machine.succeed(" && ".join(["true", "echo (not run)".replace("(not run)", "x")]))
machine.succeed(
    # a comment between
    "echo first",
    "echo second",
)
COMMAND = "systemctl is-system-running"
machine.succeed(COMMAND + " --wait")


def as_user(command):
    return f"su - {user} -c '{command}'"


machine.succeed(as_user("touch file"))
machine.execute(as_user("sleep 100") + " &")
