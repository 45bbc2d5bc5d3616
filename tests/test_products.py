"""Products of matrices large enough to be divided: into tiles, whose edges may not fit, and among threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from minigrad.dtypes import Array
from minigrad.kernels import linalg
from minigrad.kernels import products as kernel
from minigrad.kernels.threads import threads

# rows, deep, wide: one more or less than what tiles divide, narrow and wide, few rows, a product that needs no tiles
SHAPES = [(1024, 64, 64), (1023, 65, 63), (9, 700, 300), (8, 64, 4001), (130, 512, 129), (7, 900, 300), (3, 4, 5)]
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "rows": lambda x: x,
    "columns": lambda x: np.ascontiguousarray(x.T).T,
    "part of wider rows": lambda x: np.hstack([x, x])[:, : x.shape[1]],
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "one row for all": lambda x: np.broadcast_to(x[:1], x.shape),
}


def _matrices(rows: int, deep: int, wide: int, dtype: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, deep)).astype(dtype), rng.standard_normal((deep, wide)).astype(dtype)


def _exact(a: Array, b: Array) -> Array:
    return np.einsum("ij,jk->ik", a.astype(np.float64), b.astype(np.float64))


def _assert_close(y: Array, a: Array, b: Array) -> None:
    bound = 2 * len(b) ** 0.5 * np.finfo(y.dtype).eps * float(np.abs(a).max() * np.abs(b).max())
    np.testing.assert_allclose(y, _exact(a, b), rtol=0, atol=4 * bound)


@pytest.mark.parametrize("pays", [True, False], ids=["tiles", "no tiles"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_product_equals_the_sum_of_products(
    shape: tuple[int, int, int], pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_spares_packing", lambda: pays)
    kernel._tile.cache_clear()
    for dtype in ("float32", "float64"):
        a, b = _matrices(*shape, dtype)
        for first in LAYOUTS.values():
            for second in LAYOUTS.values():
                x, w = first(a), second(b)
                y = kernel.product(x, w)
                assert y.dtype == dtype
                _assert_close(y, x, w)
    kernel._tile.cache_clear()


@pytest.mark.parametrize("tile", [(8, 64), (16, 63), (24, 1), (128, 200), (1, 7)], ids=str)
def test_tiles_leave_no_edge_out(tile: tuple[int, int]) -> None:
    a, b = _matrices(101, 30, 200, "float64")
    y = np.full((101, 200), np.nan)
    kernel._fill(y, a, b, *tile)
    _assert_close(y, a, b)


def test_threads_share_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = _matrices(1025, 64, 300, "float32")
    alone = kernel.product(a, b)
    before = threads.count
    threads.set(2)
    try:
        shared = kernel.product(a, b)
        again = kernel.product(a, b)
    finally:
        threads.set(before)
    np.testing.assert_allclose(shared, alone, rtol=1e-5, atol=1e-5)
    assert np.array_equal(shared, again)


@pytest.mark.parametrize("lead", [(), (1,), (0,), (64,), (1024,), (16, 64), (0, 5), (3, 0)], ids=str)
def test_linear_of_any_leading_dims(lead: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, weight, bias = rng.standard_normal((*lead, 96)), rng.standard_normal((200, 96)), rng.standard_normal(200)
    for constant in (None, bias):
        y = linalg.linear(x, weight, constant)
        expected = np.einsum("...i,oi->...o", x, weight) + (0 if constant is None else constant)
        np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-11)
        assert y.flags.c_contiguous
