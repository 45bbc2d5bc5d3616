"""Samples of the convolutions of sequences and volumes, and of the transposed ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from op_samples_base import Sample, away

from minigrad.ops import convnd

# op: label: shapes of input and weight, settings
CALLS: dict[str, dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]]] = {
    "conv1d": {
        "plain": ((2, 3, 6), (4, 3, 3), {}),
        "settings": ((2, 4, 7), (6, 2, 2), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}),
        "unbatched": ((2, 5), (3, 2, 2), {}),
        "no sequences": ((0, 2, 5), (3, 2, 2), {}),
    },
    "conv3d": {
        "plain": ((2, 2, 3, 3, 4), (3, 2, 2, 2, 2), {}),
        "settings": ((1, 4, 4, 5, 4), (2, 2, 2, 3, 1), {"stride": (2, 1, 2), "padding": (1, 1, 0), "groups": 2}),
        "dilation": ((1, 2, 4, 3, 3), (2, 2, 2, 2, 2), {"dilation": (3, 1, 2)}),
        "unbatched": ((2, 3, 3, 3), (3, 2, 2, 2, 2), {}),
        "no volumes": ((0, 2, 3, 3, 3), (3, 2, 2, 2, 2), {}),
    },
    "conv_transpose1d": {
        "plain": ((2, 3, 4), (3, 4, 3), {}),
        "settings": ((2, 4, 3), (4, 2, 2), {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2}),
        "unbatched": ((2, 5), (2, 3, 2), {"dilation": 2}),
    },
    "conv_transpose2d": {
        "plain": ((2, 3, 4, 3), (3, 4, 3, 2), {}),
        "settings": ((2, 4, 3, 3), (4, 2, 2, 3), {"stride": (3, 2), "padding": 1, "output_padding": (2, 1),
                                                  "groups": 2}),
        "dilation": ((1, 2, 3, 4), (2, 2, 2, 2), {"dilation": (2, 3), "output_padding": (1, 0)}),
        "unbatched": ((2, 5, 3), (2, 3, 2, 2), {"dilation": 2}),
        "no images": ((0, 2, 5, 3), (2, 3, 2, 2), {}),
    },
    "conv_transpose3d": {
        "plain": ((2, 2, 2, 3, 2), (2, 3, 2, 2, 2), {}),
        "settings": ((1, 4, 2, 2, 2), (4, 2, 2, 1, 2), {"stride": 2, "padding": (1, 0, 0), "output_padding": 1,
                                                        "groups": 2}),
        "dilation": ((1, 2, 2, 3, 2), (2, 2, 2, 2, 1), {"dilation": (2, 1, 1)}),
        "unbatched": ((2, 2, 2, 2), (2, 2, 2, 2, 2), {}),
    },
}  # fmt: skip


def samples() -> Iterator[Sample]:
    for op, calls in CALLS.items():
        function = getattr(convnd, op)
        for label, (x, w, settings) in calls.items():
            out = w[1] * settings.get("groups", 1) if "transpose" in op else w[0]
            ours = lambda x, w, b=None, f=function, s=settings: f(x, w, b, **s)
            theirs = lambda t, x, w, b=None, op=op, s=settings: getattr(t.nn.functional, op)(x, w, b, **s)
            yield Sample(op, label, ours, (away(*x), away(*w), away(out)), None, theirs, special=())
            yield Sample(op, f"{label}, no bias", ours, (away(*x), away(*w)), None, theirs, special=())
