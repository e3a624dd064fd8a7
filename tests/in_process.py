"""A site asked without a server: what a browser sends goes straight to the application, https and its cookies too."""

import asyncio

import httpx
from starlette.types import ASGIApp


class InProcess(httpx.BaseTransport):
    """Takes a client's requests to an application in this process."""

    def __init__(self, app: ASGIApp) -> None:
        self._way = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer, whole."""
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._way.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())
