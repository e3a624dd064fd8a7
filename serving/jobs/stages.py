"""A long command's stages on the terminal: what is being done now, and how long each took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status

Say = Callable[[str], None]


@dataclass
class Stages:
    """Shows one line a stage with its seconds; a spinner with the latest detail while it runs.

    Where the output is no terminal, only the finished lines are printed.
    """

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, what: str) -> Iterator[Say]:
        """Run a stage; the value it gives takes short details to show beside it."""
        started = time.perf_counter()
        note = ""

        def say(detail: str) -> None:
            nonlocal note
            note = detail
            if status is not None:
                status.update(f"{what}: {detail}")

        status: Status | None = None
        with self.console.status(what) as shown:
            status = shown if self.console.is_terminal else None
            yield say
        self.seconds[what] = time.perf_counter() - started
        tail = f"  [dim]{note}[/dim]" if note else ""
        self.console.print(f"[bold]{self.seconds[what]:6.1f} s[/bold]  {what}{tail}", highlight=False)
