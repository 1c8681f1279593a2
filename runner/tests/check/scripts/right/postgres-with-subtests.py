# machines: primary, standby
import json
import textwrap

DUMP = "/var/backup/shop.sql.gz"


def psql(query: str, node: Machine = primary, user: str = "postgres") -> str:
    return node.succeed(f"sudo -u {user} psql -d shop -tA -c \"{query}\"").strip()


def rows(table, **where):
    conditions = " AND ".join(f"{column} = '{value}'" for column, value in where.items())
    clause = "WHERE {}".format(conditions) if conditions else ""
    return int(psql("SELECT count(*) FROM {} {}".format(table, clause)))


start_all()
primary.wait_for_unit("postgresql.target")
primary.wait_for_open_port(5432)

with subtest("tables are made"):
    primary.succeed(
        textwrap.dedent(
            """
            sudo -u postgres psql shop <<'SQL'
            CREATE TABLE goods (name text PRIMARY KEY, price int NOT NULL);
            CREATE TABLE notes (body xml);
            INSERT INTO goods SELECT 'thing' || n, 10 * n FROM generate_series(1, 20) n;
            INSERT INTO notes VALUES ('<note lang="en">it''s fine</note>');
            SQL
            """
        )
    )
    assert rows("goods") == 20
    assert rows("goods", name="thing7", price=70) == 1
    assert psql("SELECT xpath('string(/note/@lang)', body) FROM notes") == "{en}"

with subtest("nothing is lost in a crash"):
    primary.crash()
    import time

    begin = time.monotonic()
    primary.start()
    primary.wait_for_unit("postgresql")
    log.info(f"back after {time.monotonic() - begin:.0f} s")
    t.assertEqual(rows("goods"), 20)

with subtest("a dump"):
    primary.succeed(
        f"sudo -u postgres pg_dump shop | gzip > {DUMP}",
        f"test $(zcat {DUMP} | grep -c '^COPY') -ge 2",
        f"chmod 600 {DUMP}",
    )
    primary.succeed(
        # Old ones, as they pile up.
        f"touch {DUMP}.{{1,2,3}}",
        "systemctl start prune-dumps.service",
        f"[ ! -e {DUMP}.3 ]",
    )
    size, mode = primary.succeed(f"stat -c '%s %a' {DUMP}").split()
    assert int(size) > 100 and mode == "600"

with subtest("a dump that cannot be written"):
    primary.fail("sudo -u nobody pg_dump shop > /tmp/stolen.sql")
    _, message = primary.execute("sudo -u postgres pg_dump nowhere 2>&1")
    t.assertRegex(message, r'database "nowhere" does not exist')

with subtest("rights of roles"):
    primary.systemctl("restart postgresql")
    for role, expected in {
        "owner": {"rolsuper": False, "rolcreatedb": True},
        "reader": {"rolsuper": False, "rolcreatedb": False},
    }.items():
        rights = json.loads(psql(f"SELECT row_to_json(r) FROM pg_roles r WHERE rolname = '{role}'"))
        wrong = {right: rights[right] for right in expected if rights[right] is not expected[right]}
        assert not wrong, f"{role}: {wrong}"

with subtest("many at once"):
    answers = parallel(*[lambda n=n: psql(f"SELECT {n} * {n}") for n in range(4)])
    t.assertListEqual([int(a) for a in answers], [0, 1, 4, 9])

with subtest("the standby follows"):
    standby.wait_for_unit("postgresql")
    psql("UPDATE goods SET price = price + 1")
    retry(lambda last: psql("SELECT min(price) FROM goods", standby) == "11", timeout_seconds=60)
    lag = psql("SELECT coalesce(max(replay_lag), '0'::interval) FROM pg_stat_replication")
    standby.log(f"behind by {lag}")
    primary.shutdown()
    standby.succeed("sudo -u postgres psql -c 'SELECT pg_promote()'")
    assert psql("SELECT pg_is_in_recovery()", node=standby) == "f"
