# expect: 2:8 error unavailable-module ssl
import ssl

print(ssl)
