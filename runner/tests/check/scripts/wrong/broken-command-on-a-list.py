# machines: a, b
# expect: 4:18 warning shell-syntax
# expect: 5:21 warning shell-syntax
machines.succeed("echo 'x")
group(a, b).execute("{ echo a")[0]
