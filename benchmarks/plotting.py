"""A line chart as an SVG file, in a few lines and without a library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 440, 70, 50, 20, 60
COLOURS = ("#1b6ca8", "#c4552d", "#4b8b3b", "#7a5195")
Points = Sequence[tuple[float, float]]


def chart(title: str, x: str, y: str, lines: Mapping[str, Points], mark: float | None = None) -> str:
    """x is logarithmic, y from 0 to 1. `mark`: a vertical line, for a budget."""
    every = [point for points in lines.values() for point in points if point[0] > 0]
    low, high = log10(min(each[0] for each in every)), log10(max(each[0] for each in every))

    def across(value: float) -> float:
        return LEFT + (log10(max(value, 10**low)) - low) / max(1e-9, high - low) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="16">{escape(title)}</text>']
    for tenth in range(0, 11, 2):
        level = up(tenth / 10)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    ticks = [each for each in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if low <= log10(each) <= high]
    parts += [f'<text x="{across(each):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{each:g}</text>' for each in ticks]
    if mark:
        place = across(mark)
        parts.append(f'<path d="M{place:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#888" stroke-dasharray="4"/>')
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(px):.1f},{up(py):.1f}" for px, py in sorted(points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(px):.1f}" cy="{up(py):.1f}" r="3" fill="{colour}"/>' for px, py in points]
        parts.append(f'<text x="{LEFT + 14}" y="{TOP + 16 + 18 * number}" fill="{colour}">{escape(name)}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x)}</text>')
    parts.append(f'<text transform="translate(18 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>", ""])
