"""The web process, started from the command line: the site, and in a demonstration its sign-in service."""

from collections.abc import Callable

import uvicorn

from records.home import Home
from serving.app import create_app
from serving.jobs.demo_identity import demo_identity

HOST = "127.0.0.1"


def serve_site(home: Home, *, port: int, address: str) -> None:
    """Serve the home in the foreground until Ctrl-C. The access log is off: addresses name pupils' pages."""
    uvicorn.run(create_app(home, address=address), host=HOST, port=port, access_log=False, log_level="warning")


def serve_demo(home: Home, *, port: int, identity_port: int, ready: Callable[[str], None]) -> None:
    """Serve a demonstration home with its own sign-in service beside it; `ready` is told the address first."""
    address = f"http://{HOST}:{port}"
    with demo_identity(home, address=address, port=identity_port):
        ready(address)
        serve_site(home, port=port, address=address)
