# expect: 2:17 error invalid-syntax
from json import
