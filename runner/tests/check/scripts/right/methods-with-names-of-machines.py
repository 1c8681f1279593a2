class Database:
    """Its methods have the names of a machine's, and mean something else."""

    def execute(self, query):
        return machine.succeed(f"psql -tAc '{query}'")

    def succeed(self, query):
        return self.execute(query)

    def wait_for_unit(self, unit):
        return unit

    def wait_for_text(self, pattern):
        return pattern

    def get_screen_text(self):
        return "no screen"

    def snapshot(self):
        return 1


db = Database()
db.execute("select count(*) from (select 1")
db.succeed("insert into t values ('it''s")
db.wait_for_unit("multi-user")
db.wait_for_text("(")
print(db.get_screen_text(), db.snapshot())
