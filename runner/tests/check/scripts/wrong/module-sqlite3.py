# expect: 3:8 error unavailable-module sqlite3
import json
import sqlite3 as sql

with sql.connect("/tmp/x.db") as db:
    print(json.dumps(list(db.execute("select 1"))))
