"""The web process: pages and the scoring interface, over the operational database and the deployed bundle.

It opens neither the record store nor MLflow, and imports nothing that only training or audits need, so
that it starts in under three seconds (an import contract keeps it so).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from casework.database import check_role, connect
from records.clock import clock_of
from records.home import Home
from serving.api.fast_lane import FastLane
from serving.api.routes import router
from serving.api.rows import door_of
from serving.assets import BUILD, read_assets
from serving.doors import PAGES
from serving.identity import seal_key
from serving.rendering import environment
from serving.routing import add_pages
from serving.scoring import Door
from serving.security import BodyLimits, SafeHeaders
from serving.site import ScoringDoor, Site, WallClock, utc_now

if TYPE_CHECKING:
    from features.machine import Machine

LOOPBACK_ADDRESS = "http://127.0.0.1:8000"
_LOOPBACK_HOSTS = ["127.0.0.1", "localhost"]


def create_app(
    home: Home,
    *,
    address: str = LOOPBACK_ADDRESS,
    wall_clock: WallClock = utc_now,
    engine: Engine | None = None,
    door: ScoringDoor | None = None,
    loops: "Callable[[int], Machine] | None" = None,
) -> FastAPI:
    """Return the web application of one home.

    Parameters
    ----------
    address
        Where browsers reach it, without a last slash; sign-in comes back there, and no other host is answered.
    wall_clock
        The time for sessions and sign-in only; as-of dates, staleness and expiry read the home's clock.
    engine, door
        Given by tests; otherwise the home's own database as the web role, and the home's deployed bundle.
    loops
        See `Site`: given by the command that serves, because this module may not reach machine code.

    Raises
    ------
    UnsafeRole
        The database role could see past row-level security.
    FrozenClockRefused
        A home with a frozen today is served from a named database.
    NoAssets
        The style sheet and scripts have not been built.
    """
    clock_of(home)
    assets = read_assets()
    if engine is None:
        engine = connect(home, "app")
    else:
        check_role(engine)
    site = Site(
        home=home,
        address=address,
        wall_clock=wall_clock,
        engine=engine,
        templates=environment(assets),
        seal=seal_key(home),
        door=door or Door(home),
        loops=loops,
    )
    app = FastAPI(
        title="Belong",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=closing,
        middleware=[
            Middleware(FastLane, https=site.https, hosts=_hosts(address)),
            Middleware(SafeHeaders, https=site.https),
            Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(address), www_redirect=False),
            Middleware(BodyLimits, with_files=frozenset(page.path for page in PAGES if page.takes)),
        ],
    )
    app.state.site = site
    app.mount("/assets", StaticFiles(directory=BUILD), name="assets")
    app.include_router(router)
    add_pages(app, site, PAGES)
    return app


def _hosts(address: str) -> list[str]:
    host = str(urlsplit(address).hostname)
    return _LOOPBACK_HOSTS if host in _LOOPBACK_HOSTS else [host]


@asynccontextmanager
async def closing(app: FastAPI) -> AsyncIterator[None]:
    """Let the site run; at its end write what the log of looks still lacks, and leave no connection behind."""
    yield
    door_of(app).unwritten.close()
    app.state.site.engine.dispose()
