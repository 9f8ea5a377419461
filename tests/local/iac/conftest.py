"""A service that misbehaves, for both infrastructure tools."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


@dataclass
class Service:
    """An ARM service that keeps what is put, and answers a request as a test has told it to."""

    url: str = ""
    stored: dict[str, Any] = field(default_factory=dict)
    # (method, end of the path) -> answers (status, headers, body), the last one for ever
    told: dict[tuple[str, str], list[tuple[int, dict[str, str], Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    answered: threading.Event = field(default_factory=threading.Event)
    slow: float = 0  # seconds that each PUT takes
    most_at_once: int = 0  # PUTs that were under way together
    _under_way: list[str] = field(default_factory=list)

    def tell(self, method: str, path: str, *answers: tuple[int, dict[str, str], Any]) -> None:
        self.told[method, path] = list(answers)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        self.asked.append((method, path, body))
        for (told_method, end), answers in self.told.items():
            if told_method == method and path.endswith(end):
                if method == "PUT" and answers[0][0] < 300:
                    self.stored[path] = body
                self.answered.set()
                return answers.pop(0) if len(answers) > 1 else answers[0]
        if path.endswith("/token"):
            return 200, {}, {"access_token": "a.e30.b", "expires_on": "9999999999"}
        if method == "PUT":
            self.stored[path] = body
        if method == "DELETE":
            return (200 if self.stored.pop(path, None) is not None else 204), {}, None
        there = self.stored.get(path)
        return (200, {}, {**there, "id": path}) if there is not None else (404, {}, {"error": {"code": "NotFound"}})

    @contextmanager
    def counted(self, method: str) -> Iterator[None]:
        if method != "PUT":
            yield
            return
        self._under_way.append(method)
        self.most_at_once = max(self.most_at_once, len(self._under_way))
        time.sleep(self.slow)
        yield
        self._under_way.pop()

    @property
    def environ(self) -> dict[str, str]:
        return {
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata",
            "IDENTITY_ENDPOINT": f"{self.url}/token",
            "IDENTITY_HEADER": "secret",
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
        }


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            with made.counted(self.command):
                status, headers, answer = made.answer(self.command, self.path.partition("?")[0], body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value.replace("{url}", made.url))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815  names of http.server

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
