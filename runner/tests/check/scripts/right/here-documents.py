machine.succeed(
    """
    cat > /etc/app.conf <<'EOF'
    [server]
    port = 80
    EOF
    """.replace("    ", "")
)
machine.succeed("""
cat > /root/script.sh <<EOF
#!/bin/sh
echo "it's $HOME"
EOF
chmod +x /root/script.sh
""")
machine.succeed("cat <<-'END' | sort\n\tb\n\ta\n\tEND\n")
machine.succeed("""
    set -x
    for file in /etc/*; do
        if [ -f "$file" ]; then
            echo "$file"
        fi
    done | wc -l
""")
machine.succeed('''
  python3 - <<'PY'
print("a string with ' and \\" in it")
PY
''')
machine.succeed(f"""
cat > /etc/motd <<EOF
Welcome to {machine.name}
EOF
""")
