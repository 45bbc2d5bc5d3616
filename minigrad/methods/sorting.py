"""Methods that order, pick and count elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arraylike import ArrayLike
from minigrad.errors import OutOfRangeError
from minigrad.kernels.reduce import Dim
from minigrad.methods.results import numpy_names, result_of
from minigrad.ops import sorting as s
from minigrad.ops.shape import checked_dim, flatten, reshape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Sorting(ArrayLike):
    """Ordering methods of Tensor."""

    msort, bucketize, histc, quantile = s.msort, s.bucketize, s.histc, numpy_names(s.quantile)
    argsort, nanquantile = numpy_names(s.argsort), numpy_names(s.nanquantile)

    @numpy_names
    def sort(self, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
        """Return (values, indices) in order along `dim`; equals keep their order, whether `stable` or not.

        >>> import minigrad as mg
        >>> mg.tensor([3, 1, 2]).sort().indices
        tensor([1, 2, 0])
        """
        return result_of["sort"](*s.sorted_along(self, dim=checked_dim(dim, self.ndim), descending=descending))

    @numpy_names
    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        """Return (values, indices) of the `k` largest (or smallest) along `dim`, in order.

        Raises OutOfRangeError if there are fewer than k.
        """
        return result_of["topk"](
            *s.top(self, k=_rank(self, k, dim, 0), dim=checked_dim(dim, self.ndim), largest=largest)
        )

    @numpy_names
    def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False) -> Any:
        """Return (values, indices) of the k-th smallest along `dim`, counted from 1."""
        at = checked_dim(dim, self.ndim)
        return result_of["kthvalue"](*s.kth(self, k=_rank(self, k, dim, 1), dim=at, keepdim=keepdim))

    @numpy_names
    def mode(self, dim: int = -1, keepdim: bool = False) -> Any:
        """Return (values, indices) of the most frequent along `dim`, of several the smallest."""
        return result_of["mode"](*s.most_frequent(self, dim=checked_dim(dim, self.ndim), keepdim=keepdim))

    @numpy_names
    def median(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the median (of an even count the lower of the two), or (values, indices) along `dim`."""
        return _median(self, "median", dim, keepdim)

    @numpy_names
    def nanmedian(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the median of what is not nan, or (values, indices) along `dim`."""
        return _median(self, "nanmedian", dim, keepdim)

    @numpy_names
    def cummax(self, dim: int) -> Any:
        """Return (values, indices) of the largest so far along `dim`."""
        return result_of["cummax"](*s.running_max(self, dim=checked_dim(dim, self.ndim)))

    @numpy_names
    def cummin(self, dim: int) -> Any:
        """Return (values, indices) of the smallest so far along `dim`."""
        return result_of["cummin"](*s.running_min(self, dim=checked_dim(dim, self.ndim)))

    @numpy_names
    def cumprod(self, dim: int, *, dtype: Any = None) -> Tensor:
        """Return running products along `dim`."""
        return s.cumprod(self if dtype is None else self.to(dtype), dim)

    @numpy_names
    def logcumsumexp(self, dim: int) -> Tensor:
        """Return the logarithms of running sums of exp(self) along `dim`."""
        return s.log_running_sum(self, dim=checked_dim(dim, self.ndim))

    @numpy_names
    def aminmax(self, *, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return (min, max) of all elements or along `dim`; ties share the gradient evenly."""
        return result_of["aminmax"](*s.aminmax(self, dim=dim, keepdim=keepdim))

    @numpy_names
    def nansum(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """Return the sum over `dim` with nan counted as 0."""
        return s.nansum(self if dtype is None else self.to(dtype), dim, keepdim)

    @numpy_names
    def nanmean(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """Return the mean over `dim` of what is not nan."""
        return s.nanmean(self if dtype is None else self.to(dtype), dim, keepdim)

    @numpy_names
    def count_nonzero(self, dim: Dim = None) -> Tensor:
        """Return how many elements over `dim` are not 0."""
        return s.count_nonzero(self, dim)

    def nonzero(self, *, as_tuple: bool = False) -> Any:
        """Return the indices of the elements that are not 0: one row each, or with `as_tuple` a vector per dim."""
        if not as_tuple:
            return s.nonzero(self)
        return s.nonzero(self if self.ndim else reshape(self, shape=(1,))).unbind(1)

    def argwhere(self) -> Tensor:
        """Return the indices of the elements that are not 0, one row each."""
        return s.nonzero(self)

    def unique(
        self, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """Return the different values (or slices along `dim`) in ascending order.

        With `return_inverse` also which of them each element is, with `return_counts` how often each occurs.
        """
        return _chosen(s.unique_(self, dim=dim), return_inverse, return_counts)

    def unique_consecutive(
        self, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """Return the values (or slices along `dim`) without those equal to the one before."""
        return _chosen(s.runs(self, dim=dim), return_inverse, return_counts)

    def bincount(self, weights: Any = None, minlength: int = 0) -> Tensor:
        """Return how often each integer from 0 on occurs, or the sum of its weights; at least `minlength` long."""
        return s.bincount_(self, weights, minlength=minlength)

    def histogram(self, bins: int = 100, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
        """Return (hist, bin_edges): how many values lie in each of `bins` intervals, which may be given as edges.

        `weight` counts a value more or less; with `density` the integral is 1.
        """
        edges: Any = bins if isinstance(bins, int) else bins._data
        low, high = (0.0, 0.0) if range is None else range
        if isinstance(edges, int):
            edges = s.histogram_(self, bins=bins, low=float(low), high=float(high))[1]._data
        mass = None if weight is None else weight._data.reshape(-1)
        hist = np.histogram(self._data.reshape(-1), edges, weights=mass, density=density)[0]
        return result_of["histogram"](*(_tensor(np.asarray(a, self._data.dtype)) for a in (hist, edges)))

    @numpy_names
    def var_mean(self, *how: Any, **named: Any) -> Any:
        """Return (variance, mean), with the arguments of `var`."""
        return self.var(*how, **named), _mean_beside(self, *how, **named)  # type: ignore[attr-defined]

    @numpy_names
    def std_mean(self, *how: Any, **named: Any) -> Any:
        """Return (standard deviation, mean), with the arguments of `std`."""
        return self.std(*how, **named), _mean_beside(self, *how, **named)  # type: ignore[attr-defined]


def _mean_beside(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None) -> Any:
    return x.mean(None if isinstance(dim, bool) else dim, keepdim)


def _tensor(array: Any) -> Any:
    from minigrad.tensor import wrap

    return wrap(array)


def _rank(x: Any, k: int, dim: int, least: int) -> int:
    size = x._data.shape[checked_dim(dim, x.ndim)] if x.ndim else 1
    if not least <= k <= size:
        raise OutOfRangeError(f"selected index k out of range: k = {k}, but dim {dim} has size {size}")
    return k


def _median(x: Any, name: str, dim: int | None, keepdim: bool) -> Any:
    skip = name == "nanmedian"
    if dim is None:
        return s.median_along(flatten(x), dim=0, skip_nan=skip)[0]
    return result_of[name](*s.median_along(x, dim=checked_dim(dim, x.ndim), keepdim=keepdim, skip_nan=skip))


def _chosen(results: Any, inverse: bool, counts: bool) -> Any:
    kept = [results[0], *([results[1]] if inverse else []), *([results[2]] if counts else [])]
    return kept[0] if len(kept) == 1 else tuple(kept)
