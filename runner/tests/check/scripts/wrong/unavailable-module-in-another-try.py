# expect: 3:12 error unavailable-module sqlite3
try:
    import sqlite3
except ValueError:
    pass
