# expect: 2:20 error unresolved-attribute `send`
machine.qmp_client.send("query-status")
