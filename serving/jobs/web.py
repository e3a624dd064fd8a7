"""The web process, started from the command line: the site, and in a demonstration its sign-in service."""

import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.supervisors import Multiprocess

from casework.database import connect
from records.clock import DATABASE_VARIABLE, clock_of
from records.home import Home
from records.refusal import Refusal
from serving.assets import read_assets

if TYPE_CHECKING:
    from fastapi import FastAPI

HOST = "127.0.0.1"
# Files wait this long for the first look at them, and people not at all for the site: both would load much at once.
UPLOADS_AFTER_SECONDS = 5.0
# A thread that comes back from the database waits at most so long for each thread that is drawing a page. Python's own
# five milliseconds, at every one of a page's statements, are longer than the page.
SWITCH_SECONDS = 0.0005


class NotServed(Refusal):
    """The site cannot be served where it was asked to be."""


@dataclass(frozen=True)
class MakeSite:
    """Makes the application in whichever process serves it: it cannot be handed over, a home and an address can."""

    home: Home
    address: str

    def __call__(self) -> "FastAPI":
        """Return the application; its model and then its machine code are loaded beside the first requests."""
        # A fifth of the time that loading takes is looking for garbage among what is loaded for good.
        gc.disable()
        # Here and not above: who only starts workers need not load what they load.
        from serving.app import create_app  # noqa: PLC0415  # see above
        from serving.jobs.loops import LoadedLoops  # noqa: PLC0415  # as above

        sys.setswitchinterval(SWITCH_SECONDS)
        loops = LoadedLoops()
        app = create_app(self.home, address=self.address, loops=loops)

        def load() -> None:
            # One after the other: both at once would each wait for the other, and people wait for the model.
            try:
                app.state.site.door.deployed()
            finally:
                gc.enable()
            loops.load()
            # All of this stays: looking through it again and again would hold up whoever asks.
            gc.collect()
            gc.freeze()

        threading.Thread(target=load, name="loading", daemon=True).start()
        return app


def serve_site(home: Home, *, port: int, address: str, workers: int = 1) -> None:
    """Serve the home in the foreground until Ctrl-C. The access log is off: addresses name pupils' pages.

    Several workers share the port, each a process of its own with its own connections, scoring door and counts of
    calls; whatever must hold for all of them lies in the database or the home's files.

    Raises
    ------
    NotServed
        The port is taken, or not this user's to use.
    """
    with _bound(port) as listening:
        make = MakeSite(home, address)
        if workers > 1:
            # What would stop every worker stops here, once, with its reason.
            check_can_serve(home)
            config = uvicorn.Config(make, factory=True, workers=workers, access_log=False, log_level="warning")
            listening.listen(config.backlog)
            with _uploads_beside(home):
                Multiprocess(config, sockets=[listening]).run()
            return
        server = uvicorn.Server(uvicorn.Config(make(), access_log=False, log_level="warning"))
        # Not uvicorn.run: where it cannot start it ends with 3, which here says that the gate failed a model.
        # Uvicorn closes what is open and then passes Ctrl-C on: for this command it is the end it waits for.
        with contextlib.suppress(KeyboardInterrupt), _uploads_beside(home):
            server.run(sockets=[listening])
    if not server.started:
        raise NotServed("the site did not start; the lines above say why")


@contextlib.contextmanager
def _uploads_beside(home: Home) -> Iterator[None]:
    """Keep `belong uploads --watch` running beside the site, where the database is the home's own.

    Where another database is named, the web process has no address of the job's role, and must not have one:
    `belong uploads` is then a service of its own (docs/decisions.md, 80).
    """
    if os.environ.get(DATABASE_VARIABLE):
        yield
        return
    words = [sys.executable, "-m", "serving.cli", "uploads", "--watch", "--home", str(home.path)]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        # It ends by itself when this process does, however that ends.
        beside = [*words, "--beside", str(os.getpid())]
        started.append(subprocess.Popen(beside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # noqa: S603 - our own words only

    timer = threading.Timer(UPLOADS_AFTER_SECONDS, start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for process in started:
            process.terminate()
            process.wait()


def check_can_serve(home: Home) -> None:
    """Start the database if need be, and refuse what `create_app` would refuse."""
    clock_of(home)
    read_assets()
    connect(home, "app").dispose()


def serve_demo(home: Home, *, port: int, identity_port: int, ready: Callable[[str], None]) -> None:
    """Serve a demonstration home with its own sign-in service beside it; `ready` is told the address first."""
    from serving.jobs.demo_identity import demo_identity  # noqa: PLC0415  # no other site has one

    address = f"http://{HOST}:{port}"
    check_ports(port, identity_port)
    with demo_identity(home, address=address, port=identity_port):
        ready(address)
        serve_site(home, port=port, address=address)


def check_ports(*ports: int) -> None:
    """Raise NotServed unless each of these ports is free: before the work whose result they are to show."""
    if len(set(ports)) < len(ports):
        raise NotServed(f"ports {', '.join(map(str, ports))} must differ; give another --port")
    for port in ports:
        _bound(port).close()


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise NotServed(f"port {port} cannot be used ({error.strerror}); give another --port") from error
    return listening
