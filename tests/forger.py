"""A sign-in service in wrong hands: it hands out whatever token a test gives it, under a key that it publishes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "belong"
KID = "one"


@dataclass
class Forger:
    """What it publishes and hands out. `token` is what the next code buys; `asked` are the forms that were sent."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": KID}))
    token: object = None
    discovered: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def signed(self, claims: dict[str, Any], *, key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
        """Return a token of these claims, by its own key unless another is given; a claim of None is left out."""
        said = {name: value for name, value in claims.items() if value is not None}
        return str(jwt.encode({"alg": algorithm, "kid": KID, **header}, said, key or self.key))

    def answer(self, path: str) -> object:
        """Return what stands at a path."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.discovered,
            }
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.token}


@contextmanager
def forging() -> Iterator[Forger]:
    """Serve a forger on loopback until the block ends."""
    forger = Forger()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say()

        def do_POST(self) -> None:
            forger.asked.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self._say()

        def _say(self) -> None:
            body = json.dumps(forger.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    forger.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield forger
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
