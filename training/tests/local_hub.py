"""A server on this machine that speaks the Hugging Face hub's protocol, as far as downloads need it."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class LocalHub:
    """Repositories as {"owner/name": {"path": bytes}}; what is asked for is in `requests`."""

    def __init__(self, repositories):
        self.repositories = repositories
        self.requests = []
        self.gated = set()
        self.damaged = set()
        """Paths whose bytes are other ones than their ETag says."""


def _handler(hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def _answer(self, *, body):
            path = unquote(self.path.partition("?")[0])
            hub.requests.append((self.command, path))
            if path.startswith("/api/models/"):
                self._repository(path.removeprefix("/api/models/"))
                return
            repository, _, rest = path.removeprefix("/").partition("/resolve/")
            revision, _, name = rest.partition("/")
            files = hub.repositories.get(repository)
            if files is None:
                self._error(401, "RepoNotFound")
            elif repository in hub.gated:
                self._error(403, "GatedRepo")
            elif revision not in ("main", COMMIT):
                self._error(404, "RevisionNotFound")
            elif name not in files:
                self._error(404, "EntryNotFound")
            else:
                self._file(files[name], damaged=name in hub.damaged, body=body)

        def _file(self, data, *, damaged, body):
            sha256 = hashlib.sha256(data).hexdigest()
            self.send_response(200)
            self.send_header("ETag", f'"{sha256}"')
            self.send_header("X-Linked-ETag", f'"{sha256}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data[::-1] if damaged else data)

        def _repository(self, rest):
            repository = rest.partition("/revision/")[0].partition("/tree/")[0]
            names = hub.repositories.get(repository)
            if names is None:
                self._error(401, "RepoNotFound")
                return
            if "/tree/" in rest:
                document = [{"type": "file", "path": n, "size": len(d), "oid": "0" * 40} for n, d in names.items()]
            else:
                siblings = [{"rfilename": name} for name in names]
                document = {"id": repository, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}
            data = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _error(self, status, code):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


@contextmanager
def local_hub(repositories):
    """The hub and its address."""
    hub = LocalHub(repositories)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
