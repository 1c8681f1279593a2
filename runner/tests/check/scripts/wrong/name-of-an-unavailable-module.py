# expect: 3:6 error unavailable-module ssl
# expect: 4:6 error unavailable-module curses
from ssl import SSLContext
from curses.textpad import Textbox

print(SSLContext, Textbox)
