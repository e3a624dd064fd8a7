"""A lean load generator in a process of its own: requests made beforehand, kept connections, no HTTP library.

It shares the machine's cores with what it loads, so it does as little as can be, and says what it took itself.
"""

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Told:
    """What a run found: each answer's seconds since it was due, statuses, and the first answer that was odd."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    odd: str = ""


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    length = int(lower[at : lower.index(b"\r\n", at)])
    return int(head[9:12]), await reader.readexactly(length)


async def _ask(
    told: Told, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], ask: bytes, due: float
) -> None:
    reader, writer = connection
    writer.write(ask)
    status, body = await _answer(reader)
    told.seconds.append(time.perf_counter() - due)
    told.statuses[status] = told.statuses.get(status, 0) + 1
    if status != 200 and not told.odd:
        told.odd = body[:400].decode("utf-8", "replace")


async def at_a_rate(port: int, asks: Sequence[bytes], rate: float, connections: int) -> Told:
    """Send each request when it is due, so many a second, on whichever connection is free."""
    told = Told()
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def one(ask: bytes, due: float) -> None:
        connection = await free.get()
        await _ask(told, connection, ask, due)
        free.put_nowait(connection)

    began = time.perf_counter() + 0.05
    tasks = []
    for number, ask in enumerate(asks):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(ask, due)))
    await asyncio.gather(*tasks)
    return told


async def in_turn(port: int, asks: Sequence[bytes], connections: int) -> Told:
    """Send the requests as fast as they are answered, on so many connections."""
    told, waiting = Told(), iter(asks)

    async def on_one() -> None:
        connection = await asyncio.open_connection("127.0.0.1", port)
        for ask in waiting:
            await _ask(told, connection, ask, time.perf_counter())
        connection[1].close()

    await asyncio.gather(*(on_one() for _ in range(connections)))
    return told


def request(path: str, body: bytes, headers: Sequence[str]) -> bytes:
    """Return a POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def main() -> None:
    """Read a plan, send what it says, and print what was found as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.load_generator")
    parser.add_argument("plan", type=Path, help="JSON: port, path, headers, bodies, requests, connections, rate or 0")
    plan = json.loads(parser.parse_args().plan.read_bytes())
    made = [request(plan["path"], body.encode(), plan["headers"]) for body in plan["bodies"]]
    asks = [made[number % len(made)] for number in range(plan["requests"])]
    began, cpu = time.perf_counter(), time.process_time()
    if plan["rate"]:
        told = asyncio.run(at_a_rate(plan["port"], asks, plan["rate"], plan["connections"]))
    else:
        told = asyncio.run(in_turn(plan["port"], asks, plan["connections"]))
    ordered = sorted(told.seconds)
    found = {
        "requests": len(ordered),
        "seconds": time.perf_counter() - began,
        "own_cpu_ms": 1000 * (time.process_time() - cpu) / max(len(ordered), 1),
        "p50_ms": 1000 * ordered[len(ordered) // 2],
        "p99_ms": 1000 * ordered[min(math.ceil(0.99 * len(ordered)) - 1, len(ordered) - 1)],
        "worst_ms": 1000 * ordered[-1],
        "statuses": told.statuses,
        "odd": told.odd,
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
