"""A web server on 127.0.0.1 for tests, which can break connections."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Server:
    """Serves ``files`` {path: bytes}; ``asked`` holds the Range of each request, or None.

    ``breaks``: after how many bytes each of the first connections is cut. Without ``ranges`` every answer is the whole.
    """

    def __init__(self, files: dict[str, bytes], breaks: list[int] | None = None, ranges: bool = True) -> None:
        self.asked: list[str | None] = []
        cuts = list(breaks or [])
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.headers.get("Range"))
                if self.path not in files:
                    return self.send_error(404, "Not Found")
                body, start = files[self.path], 0
                if asked[-1] and ranges:
                    start = int(asked[-1].removeprefix("bytes=").removesuffix("-"))
                    if start >= len(body):
                        return self.send_error(416)
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                self.wfile.write(body[start:][: cuts.pop(0) if cuts else None])

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
