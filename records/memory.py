"""How a process that works through a network asks the kernel for memory."""

import os


def use_small_pages() -> None:
    """Let numpy take memory in the kernel's ordinary pages. To be called before numpy is first imported.

    numpy asks for pages of 2 MB for large arrays. Each is found and cleared whole when it is first touched, which on a
    rented machine, whose memory is virtual twice, cost a fifth of the engine's time (docs/decisions.md, 92). Who has
    measured otherwise sets NUMPY_MADVISE_HUGEPAGE=1, numpy's own switch, and is left alone.
    """
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
