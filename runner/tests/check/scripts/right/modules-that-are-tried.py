try:
    import ssl
except ImportError:
    ssl = None

try:
    import sqlite3

    HAVE_SQLITE = True
except ModuleNotFoundError:
    HAVE_SQLITE = False

try:
    import readline  # noqa: F401
except (ImportError, OSError):
    pass

try:
    import curses
except Exception:
    curses = None
try:
    from ssl import SSLContext
except:
    SSLContext = None

machine.succeed("true")
print(ssl is not None, HAVE_SQLITE, curses, SSLContext)
