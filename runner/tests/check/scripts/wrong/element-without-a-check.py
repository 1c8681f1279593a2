# expect: 5:25 error unresolved-attribute `text`
import xml.etree.ElementTree as ET

root = ET.fromstring(machine.succeed("cat /etc/app.xml"))
print(root.find("port").text)
