# machines: node1, node2
# expect: 4:1 error unknown-machine did you mean `node
node1.start()
node.wait_for_unit("k3s")
