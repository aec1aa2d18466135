"""Distances on the earth between points in hundredths of a degree."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

_DIAMETER_KM = 12_742


def kilometres(lat: int, lon: int, lat2: int, lon2: int) -> float:
    """Haversine."""
    one, other = radians(lat / 100), radians(lat2 / 100)
    across = sin((other - one) / 2) ** 2 + cos(one) * cos(other) * sin(radians((lon2 - lon) / 200)) ** 2
    return _DIAMETER_KM * asin(min(1.0, sqrt(across)))
