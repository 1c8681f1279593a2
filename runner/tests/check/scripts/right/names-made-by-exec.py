exec("greeting = 'hello'")
print(greeting)
exec(
    """
def made(node):
    node.succeed("true")
"""
)
made(machine)
