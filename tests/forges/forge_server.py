"""A forge on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.forges.forge_state import Asked, ForgeState, Reply

Handle = Callable[[ForgeState, Asked], Reply]


@contextmanager
def serve_forge(state: ForgeState, handle: Handle) -> Iterator[str]:
    """Serve the API of a forge while the block runs; yields its address."""

    class Connection(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(self.rfile.read(length) or b"{}"),
            )
            state.asked.append(asked)
            self._write(state.take_fault(asked) or handle(state, asked))

        def _write(self, reply: Reply) -> None:
            is_text = isinstance(reply.content, str)
            text = str(reply.content) if is_text else json.dumps(reply.content)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html" if is_text else "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - as http.server calls them

        def log_message(self, *_: object) -> None:
            """Keep silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as listening:
        listening.daemon_threads = True
        thread = Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()
