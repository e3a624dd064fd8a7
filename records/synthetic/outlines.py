"""Made-up outlines of made-up wards and boroughs: cells around points of a square in the Wash, where nobody lives."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial import Voronoi

Corners = list[tuple[float, float]]
_SOUTH_WEST: Final = (0.2, 52.95)
# Degrees east and north: about as wide as tall there.
_SIZE: Final = (0.16, 0.096)
# How far a point lies off its place on an even grid, as a share of the grid's step.
_OFF: Final = 0.35


def collections_of(
    boroughs: Mapping[str, str], wards: Mapping[str, str], names: Mapping[str, str], seed: int
) -> Mapping[str, Mapping[str, Any]]:
    """Return 'wards' and 'boroughs' as GeoJSON FeatureCollections, in the publisher's own property names.

    Parameters
    ----------
    boroughs, wards
        Code of a borough → its name; code of a ward → the code of its borough.
    names
        Code of a ward → its name.
    """
    cells = _cells(_points(list(boroughs), list(wards.values()), np.random.default_rng([seed, 114])))
    of_wards = [
        _feature({"WD22CD": code, "WD22NM": names[code], "LAD22CD": wards[code]}, [[_ring(cell)]])
        for code, cell in zip(wards, cells, strict=True)
    ]
    of_boroughs = []
    for code, name in boroughs.items():
        mine = [cell for cell, borough in zip(cells, wards.values(), strict=True) if borough == code]
        if mine:
            of_boroughs.append(_feature({"LAD22CD": code, "LAD22NM": name}, [[_ring(one)] for one in _around(mine)]))
    return {"wards": _collection(of_wards), "boroughs": _collection(of_boroughs)}


def _points(boroughs: Sequence[str], borough_of: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a point for each ward in the unit square, each borough's in an upright stripe of its own."""
    points = np.empty((len(borough_of), 2))
    for stripe, borough in enumerate(boroughs):
        mine = [at for at, one in enumerate(borough_of) if one == borough]
        across = max(round((len(mine) / len(boroughs)) ** 0.5), 1)
        rows = -(-len(mine) // across)
        for number, at in enumerate(mine):
            east, north = np.array([number % across, number // across]) + 0.5 + rng.uniform(-_OFF, _OFF, 2)
            points[at] = (stripe + east / across) / len(boroughs), north / rows
    return points


def _cells(points: npt.NDArray[np.float64]) -> list[Corners]:
    """Return of each point the corners of what is nearer to it than to any other, within the square, in turn."""
    # Each point's image in each side of the square makes that side a border.
    sides = ((axis, side) for axis in (0, 1) for side in (0, 1))
    images = [np.where(np.arange(2) == axis, 2 * side - points, points) for axis, side in sides]
    drawn = Voronoi(np.concatenate([points, *images]))
    found = []
    for at, point in enumerate(points):
        corners = drawn.vertices[drawn.regions[drawn.point_region[at]]]
        turn = np.arctan2(corners[:, 1] - point[1], corners[:, 0] - point[0])
        found.append([(float(x), float(y)) for x, y in corners[np.argsort(turn)]])
    return found


def _around(cells: Sequence[Corners]) -> Iterator[Corners]:
    """Yield what is around cells that meet: their sides that no two of them share, end to end."""
    sides = {side for cell in cells for side in zip(cell, [*cell[1:], cell[0]], strict=True)}
    onward = {start: end for start, end in sorted(sides) if (end, start) not in sides}
    while onward:
        start, at = onward.popitem()
        corners = [start]
        while at != start:
            corners.append(at)
            at = onward.pop(at)
        yield corners


def _ring(corners: Corners) -> Corners:
    """Return the corners, in the unit square, as a closed ring of positions in degrees."""
    ring = [(_SOUTH_WEST[0] + x * _SIZE[0], _SOUTH_WEST[1] + y * _SIZE[1]) for x, y in (*corners, corners[0])]
    return [(round(east, 5), round(north, 5)) for east, north in ring]


def _feature(properties: Mapping[str, str], polygons: Sequence[Sequence[Corners]]) -> dict[str, Any]:
    geometry = {"type": "MultiPolygon", "coordinates": polygons}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _collection(features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "publisher": "Made up for the demonstration", "features": features}
