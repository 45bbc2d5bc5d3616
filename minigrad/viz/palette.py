"""The colours of a picture: each theme's, and whether a text in one stands out from another.

Blue is the way forward and orange the way back in every theme with colours, as most who see few colours can tell these
two apart; the theme for printing has none, and says with solid and dashed lines what the others say with colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from minigrad.viz.rows import CONST, FAILED, INPUT, MODULE, OP, OUTPUT, PARAM


class Palette(NamedTuple):
    """A theme: the colours of texts, of what is behind them, and of lines."""

    background: str
    ink: str
    muted: str
    forward: str
    backward: str
    fill: Mapping[str, str]  # of boxes, by the kind of node
    rim: Mapping[str, str]
    cluster: tuple[str, str]  # by turns, so that a module stands out from the one around it
    cluster_rim: str
    back: str = "solid"  # the style of lines that only gradients take


_LINE = "#74818f"
LIGHT = Palette(
    background="#ffffff",
    ink="#1d2733",
    muted="#4a5866",
    forward="#0b57a4",
    backward="#a33f00",
    fill={
        OP: "#ffffff",
        PARAM: "#dcefe3",
        INPUT: "#e9edf2",
        CONST: "#e9edf2",
        OUTPUT: "#fff0c4",
        MODULE: "#f0eafa",
        FAILED: "#ffffff",
    },
    rim={
        OP: _LINE,
        PARAM: "#2b7a53",
        INPUT: _LINE,
        CONST: _LINE,
        OUTPUT: "#94710a",
        MODULE: "#6d54a3",
        FAILED: "#1d2733",
    },
    cluster=("#f6f8fa", "#edf1f5"),
    cluster_rim="#a9b4bf",
)
DARK = Palette(
    background="#14181d",
    ink="#e8edf2",
    muted="#b3bfca",
    forward="#8ec3ff",
    backward="#ffb27a",
    fill={
        OP: "#232b34",
        PARAM: "#1c3b2b",
        INPUT: "#2d3640",
        CONST: "#2d3640",
        OUTPUT: "#463a12",
        MODULE: "#352b4d",
        FAILED: "#232b34",
    },
    rim={
        OP: "#8a98a6",
        PARAM: "#6cc598",
        INPUT: "#8a98a6",
        CONST: "#8a98a6",
        OUTPUT: "#e0b93f",
        MODULE: "#b49ae8",
        FAILED: "#e8edf2",
    },
    cluster=("#1a2027", "#202831"),
    cluster_rim="#566270",
)
_WHITE = dict.fromkeys((OP, PARAM, INPUT, CONST, OUTPUT, MODULE, FAILED), "#ffffff")
PRINT = Palette(
    background="#ffffff",
    ink="#000000",
    muted="#3d3d3d",
    forward="#000000",
    backward="#3d3d3d",
    fill=_WHITE | {PARAM: "#ececec", OUTPUT: "#ececec"},
    rim=dict.fromkeys(_WHITE, "#000000"),
    cluster=("#ffffff", "#f6f6f6"),
    cluster_rim="#6b6b6b",
    back="dashed",
)
PALETTES = {"light": LIGHT, "dark": DARK, "print": PRINT}


def luminance(color: str) -> float:
    """Return how light a colour "#rrggbb" is, from 0 to 1 (relative luminance, WCAG 2.1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """Return how well a text of one colour stands out from the other, from 1 to 21 (WCAG 2.1).

    >>> contrast("#000000", "#ffffff"), contrast("#777777", "#777777")
    (21.0, 1.0)
    """
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def readable(fill: str) -> str:
    """Return black or white, whichever stands out from `fill`: one of them always does, by at least 4.58."""
    return max("#000000", "#ffffff", key=lambda text: contrast(text, fill))
