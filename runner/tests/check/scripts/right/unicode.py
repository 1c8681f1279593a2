# Ümlaute in a comment, and a name: 机器
größe = int(machine.succeed("printf 'äöü' | wc -c"))
assert größe == 6, f"größe ist {größe} ✗"
machine.send_chars("€ ✓\n")
machine.log(machine.succeed("systemd-analyze security app | grep ✗ || true"))
机器 = machine
机器.succeed("echo 'déjà vu — “quoted”' >&2")
print("🦀", "\N{SNOWMAN}", "\u00e9", len("日本語"))
