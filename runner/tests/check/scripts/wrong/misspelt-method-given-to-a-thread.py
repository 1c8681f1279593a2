# expect: 4:33 error unresolved-attribute did you mean `shutdown`
import threading

threading.Thread(target=machine.shut_down).start()
