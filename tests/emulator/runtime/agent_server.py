"""An agent's server for tests: it answers with what it was asked, and ends when it is asked to."""

SERVER = """
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readiness" else 404)
        self.end_headers()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body["input"] == "die":
            os._exit(3)
        answer = json.dumps({
            "object": "response", "pid": os.getpid(), "cwd": os.getcwd(), "env": dict(os.environ),
            "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body,
        }).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("x-platform-server", "own/1")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass

print("started", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
