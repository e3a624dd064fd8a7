"""Parts of a picture as SVG: the same in a page and in a PDF, coloured by the style sheet beside it."""

from collections.abc import Iterable

from markupsafe import Markup

WIDTH = 900


def whole(name: str, height: float, title: str, said: str, parts: Iterable[Markup], *, width: float = WIDTH) -> Markup:
    """Return the parts as one picture, named by its title and told in words."""
    body = Markup("").join(parts)
    return Markup(
        '<svg role="img" viewBox="0 0 {} {}" aria-labelledby="{}-title {}-words">'
        '<title id="{}-title">{}</title><desc id="{}-words">{}</desc>{}</svg>'
    ).format(width, round(height), name, name, name, title, name, said, body)


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """Return a rectangle of a class of the style sheet."""
    shape = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return shape.format(kind, x, y, width, height)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a straight line."""
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x1, y1, x2, y2)


def circle(kind: str, x: float, y: float, radius: float) -> Markup:
    """Return a circle."""
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(kind, x, y, radius)


def polyline(points: Iterable[tuple[float, float]], kind: str = "chart-line") -> Markup:
    """Return a line through points."""
    return Markup('<polyline class="{}" points="{}"/>').format(kind, " ".join(f"{x:.1f},{y:.1f}" for x, y in points))


def triangle(x: float, y: float) -> Markup:
    """Return a small triangle standing on y."""
    return Markup('<path class="chart-mark" d="M{:.1f} {:.1f} h12 l-6 -11 z"/>').format(x - 6, y)


def arrow(x: float, y: float, way: int) -> Markup:
    """Return an arrowhead at x that points right (way 1) or left (way -1)."""
    shape = Markup('<path class="chart-mark" d="M{:.1f} {:.1f} l{} 6 l{} 6 z"/>')
    return shape.format(x - way * 8, y - 6, way * 9, -way * 9)


def words(said: str, x: float, y: float, anchor: str, kind: str = "chart-words") -> Markup:
    """Return text; `anchor` is start, middle or end."""
    text = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return text.format(kind, x, y, anchor, said)
