# expect: 5:18 error unresolved-attribute `execute`
# expect: 6:10 error unresolved-attribute `enviroment`
import subprocess

print(subprocess.execute(["true"]))
print(os.enviroment["PATH"])
