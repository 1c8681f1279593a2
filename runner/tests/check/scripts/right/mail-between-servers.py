# machines: red, blue, client
import email
import email.policy
import smtplib
from email.message import EmailMessage

start_all()

servers = red, blue
for server in servers:
    server.wait_for_unit("network-online.target")
    server.wait_for_unit("postfix")
    server.wait_for_open_port(25)


def mailbox(node, user):
    """Yields the messages that a user has, the newest first."""
    for name in node.succeed(f"ls -t ~{user}/Maildir/new 2>/dev/null || true").split():
        raw = node.succeed(f"cat ~{user}/Maildir/new/{name}")
        yield email.message_from_string(raw, policy=email.policy.default)


def message(sender, to, subject, body="hello\n"):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, to, subject
    m.set_content(body)
    return m.as_string()


def delivered():
    return all("is empty" in server.succeed("mailq") for server in servers)


with subtest("from red to blue"):
    text = message("alice@red", "bob@blue", "first")
    client.succeed(
        f"""
        cat > /tmp/mail <<'EOF'
{text}
EOF
        """
    )
    client.succeed("sendmail -f alice@red bob@blue < /tmp/mail")
    retry(lambda last: delivered(), timeout_seconds=60)
    received = list(mailbox(blue, "bob"))
    assert [m["Subject"] for m in received] == ["first"]
    assert received[0]["From"] == "alice@red"

with subtest("from the host, through a forwarded port"):
    red.forward_port(2525, 25)
    with smtplib.SMTP("127.0.0.1", 2525, timeout=30) as connection:
        code, greeting = connection.ehlo()
        assert code == 250, greeting
        connection.sendmail("x@localhost", ["alice@red"], message("x@localhost", "alice@red", "two"))

with subtest("nobody relays for strangers"):
    status, out = client.execute("sendmail -f a@nowhere b@elsewhere < /tmp/mail 2>&1")
    if status == 0:
        red.wait_until_succeeds("journalctl -u postfix | grep -F 'status=bounced'")
    else:
        t.assertRegex(out, r"(?i)55\d .*(denied|rejected)")

counts = {node.name: sum(1 for _ in mailbox(node, "bob")) for node in servers}
assert counts == dict(red=0, blue=1), counts
