# expect: 4:18 error invalid-argument-type
import threading

threading.Thread(machine.shutdown).start()
