"""Answers every POST over TLS with 202 until FOLDER/stop is there.

usage: https_server.py FOLDER

FOLDER holds cert.pem and key.pem. Prints the port of 127.0.0.1 that it took.
"""

import http.server
import pathlib
import ssl
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    timeout = 0.05

    def get_request(self):
        plain, address = super().get_request()
        # The handshake runs on the connection's own thread, by its first read.
        return (
            context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False),
            address,
        )


folder = pathlib.Path(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    while not (folder / "stop").exists():
        server.handle_request()
