# expect: 3:45 error unresolved-reference did you mean `port`
port = 8080
machine.succeed(f"curl -f http://localhost:{prot}/")
