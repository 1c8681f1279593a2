# expect: 2:1 warning ignored-status
machine.execute("systemctl restart nginx")
machine.wait_for_unit("nginx")
