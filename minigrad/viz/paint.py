"""The colours that answers paint boxes with: light enough for black texts, and told apart by all eyes.

Blue is little, orange much; what is wrong is orange, what holds is blue. A word in the box always says the same.
"""

from __future__ import annotations

BLUE, WHITE, ORANGE, GREY, VIOLET = "#93c5ff", "#ffffff", "#ffbb70", "#e9edf2", "#e3d9f7"


def between(first: str, second: str, part: float) -> str:
    """Return the colour that is `part` (0 to 1) of the way from the first to the second.

    >>> between("#000000", "#ff8000", 0.5)
    '#804000'
    """
    part = min(max(part, 0.0), 1.0)
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{int(a + (b - a) * part + 0.5):02x}" for a, b in pairs)


def diverging(place: float) -> str:
    """Return the colour for a place from -1 (blue) over 0 (white) to 1 (orange).

    >>> diverging(-1.0), diverging(0.0), diverging(1.0)
    ('#93c5ff', '#ffffff', '#ffbb70')
    """
    return between(WHITE, ORANGE if place > 0 else BLUE, abs(place))
