import http.server
import socket
import socketserver
import threading
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
machine.forward_port(8080, 80)
with urllib.request.urlopen("http://127.0.0.1:8080/", timeout=10) as answer:
    assert answer.status == 200
    print(answer.read().decode())
with socket.create_connection(("127.0.0.1", 8080), timeout=5) as connection:
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    print(connection.recv(4096)[:15])
server.shutdown()
print(socketserver.TCPServer)
