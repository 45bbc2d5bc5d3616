"""What PyTorch calls the nodes of a graph: `AddBackward0` for an addition, `MmBackward0` for a product of matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Name = str | Callable[[Any], str]
_titles: WeakKeyDictionary[Any, dict[int, str]] = WeakKeyDictionary()  # of each node, by output


def titled(result: Any, name: str) -> Any:
    """Return `result`, having noted that the node that made it ends what PyTorch has as one op of that name."""
    edge = getattr(result, "_edge", None)
    if edge is not None:
        node, index = edge
        titles = _titles.get(node)
        if titles is None:
            _titles[node] = {index: _in_full(name)}
        else:
            titles[index] = _in_full(name)
    return result


def titled_all(results: Iterable[Any], name: str) -> tuple[Any, ...]:
    """Return the results, each titled."""
    return tuple(titled(result, name) for result in results)


def titling(function: _Function) -> _Function:
    """Return `function`, a composite, made to note what PyTorch calls it if PyTorch has it as one op."""
    name = _COMPOSITES.get(function.__name__)
    if name is None:
        return function

    @wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        first = result[0] if type(result) is tuple else result
        edge = getattr(first, "_edge", None)
        given = getattr(args[0], "_edge", None) if args else None  # which may be what is returned
        if edge is not None and edge is not given and edge[0].op.name not in _TELLING:
            titled(first, name if isinstance(name, str) else name(_Call(args, kwargs)))
        return result

    return noting  # type: ignore[return-value]


def short_name(node: Any, output: int = 0) -> str:
    """Return the name PyTorch gives the backward of a node's op, or of the op that one of its outputs ends.

    >>> from minigrad import tensor
    >>> short_name(tensor([1.0], requires_grad=True).log_softmax(0).grad_fn)
    'LogSoftmaxBackward0'
    """
    if (titles := _titles.get(node)) is not None:
        return titles.get(output) or next(iter(titles.values()))
    if node.op.on_tensors:
        return f"{node.op.name}Backward"  # of a Function that a program defines
    name = _NAMES.get(node.op.name)
    if name is None:
        return _in_full("".join(part[:1].upper() + part[1:] for part in node.op.name.split("_")))
    return _in_full(name if isinstance(name, str) else name(node))


def _in_full(name: str) -> str:
    return name if "Backward" in name or name == "CopySlices" else f"{name}Backward0"


class AccumulateGrad:
    """Where the backward of a graph ends: what adds to the gradient of the leaf `variable`."""

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self.next_functions = ()

    def name(self) -> str:
        """Return PyTorch's name for it."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


_ends: WeakValueDictionary[int, AccumulateGrad] = WeakValueDictionary()


def _end(leaf: Any) -> AccumulateGrad:
    """Return the end of the graph at a leaf: the same one as long as somebody holds it, and it the leaf."""
    end = _ends.get(id(leaf))
    if end is None:
        end = _ends[id(leaf)] = AccumulateGrad(leaf)
    return end


def next_functions(node: Any) -> tuple[tuple[Any, int], ...]:
    """Return, for each input, the node it came from and which of its outputs it was; (None, 0) for a constant."""
    return tuple(_function_of(edge) for edge in node.edges)


def _function_of(edge: Any) -> tuple[Any, int]:
    if type(edge) is tuple:
        return edge[0], edge[1]
    return (_end(edge), 0) if getattr(edge, "requires_grad", False) else (None, 0)


# --- names that depend on the node ---


def _shapes(node: Any) -> list[tuple[int, ...] | None]:
    """Return the shapes of the inputs, None for one that is a plain number or absent."""
    from minigrad.graph import edge_facts

    return [None if edge is None or isinstance(edge, int | float) else edge_facts(edge)[0] for edge in node.edges]


def _power(node: Any) -> str:
    base, exponent = _shapes(node)
    return "PowBackward0" if exponent is None else "PowBackward1" if base is not None else "PowBackward2"


def _difference(node: Any) -> str:
    return "Sub" if _shapes(node)[0] is not None else "RsubBackward1"


def _quotient(node: Any) -> str:
    return "Div" if _shapes(node)[0] is not None else "Mul"  # PyTorch has 1 / x as x.reciprocal() * 1


def _remainder(node: Any) -> str:
    by = _shapes(node)[1]
    return f"{node.op.name.capitalize()}Backward{int(by is not None)}"


def _clamped(node: Any) -> str:
    return "ClampBackward0" if len(node.edges) > 1 else "ClampBackward1"


def _over_dims(name: str) -> Callable[[Any], str]:
    return lambda node: f"{name}Backward{int(node.attrs.get('dim') is not None)}"


def _product(node: Any) -> str:
    a, b = _shapes(node)
    return "Mm" if len(a or ()) == len(b or ()) == 2 else "UnsafeView"


def _reshaped(node: Any) -> str:
    """Return "View", but of a product with a vector, which we make of a product of matrices, its own name."""
    before = node.edges[0][0] if type(node.edges[0]) is tuple else node
    made, shape = node.outputs[0][0], before.outputs[0][0]
    if before.op.name == "reshape" and not made and before is not node:
        return "Dot" if _reshaped(before) == "SqueezeBackward4" else "View"
    if before.op.name != "matmul":
        return "View"
    return "UnsafeView" if len(shape) > 2 else "Mv" if shape[1:] == (1,) and shape != (1, 1) else "SqueezeBackward4"


def _dense(node: Any) -> str:
    x, *others = _shapes(node)
    rank, bias = len(x or ()), len(others) > 1 and others[1] is not None
    if rank == 2:
        return "Addmm" if bias else "Mm"
    return "View" if bias else "UnsafeView" if rank > 2 else "SqueezeBackward4"


def _permuted(node: Any) -> str:
    dims = node.attrs["dims"]
    return "Transpose" if sum(d % len(dims) != i for i, d in enumerate(dims)) == 2 else "Permute"


def _taken(node: Any) -> str:
    """Return the name of the last step that PyTorch makes of an index."""
    index = node.attrs["index"]
    if len(node.edges) > 1:
        return "Index"
    parts = [part for part in index if part is not ...]
    telling = [part for part in parts if part != slice(None)] or parts
    if not telling:
        return "Alias"
    return "Unsqueeze" if telling[-1] is None else "Slice" if isinstance(telling[-1], slice) else "Select"


def _labels(node: Any) -> str:
    return "NllLoss2D" if len(_shapes(node)[1] or ()) > 2 else "NllLoss"


# --- and on the arguments of a composite ---


class _Call(NamedTuple):
    """What a composite was called with; the first argument may be named as it likes."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def get(self, place: int, name: str, default: Any = None) -> Any:
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    def ndim(self) -> int:
        return int((self.args[0] if self.args else next(iter(self.kwargs.values()))).ndim)


def _nll(call: _Call) -> str:
    return "NllLoss2D" if call.ndim() > 2 else "NllLoss"


def _cross_entropy(call: _Call) -> str:
    if call.get(1, "target").ndim == call.ndim():
        reduction = call.get(4, "reduction", "mean")
        return "DivBackward1" if reduction == "mean" else "Sum" if reduction == "sum" else "Neg"
    return "Add" if call.get(5, "label_smoothing", 0.0) else _nll(call)


def _squeeze(call: _Call) -> str:
    dim = call.get(1, "dim")
    return "SqueezeBackward0" if dim is None else "SqueezeBackward1" if isinstance(dim, int) else "SqueezeBackward2"


def _lerp(call: _Call) -> str:
    return f"LerpBackward{int(not isinstance(call.get(2, 'weight'), int | float))}"


def _einsum(call: _Call) -> str:
    """Return "View" for what PyTorch makes a product of matrices, or what else it ends in."""
    given, _, kept = str(call.get(0, "equation")).partition("->")
    if set(given) - set(kept) - set(", "):
        return "View" if "," in given else "SumBackward1"
    return "Mul" if "," in given else "Permute"


def _matrix_norm(call: _Call) -> str:
    order, kept = call.get(1, "ord", "fro"), call.get(3, "keepdim", False)
    if order == "fro":
        return "LinalgVectorNorm"
    if order in ("nuc", 2, -2) and kept:
        return "Permute"
    return "SumBackward1" if order == "nuc" else "Amax" if order > 0 else "Amin"


def _cond(call: _Call) -> str:
    return "SqueezeBackward1" if call.get(1, "p") in (None, 2, -2) else "NanToNum"


def _resized(call: _Call) -> str:
    """Return the name for the kind of interpolation; by area it is an adaptive average."""
    mode, dims = call.get(3, "mode", "nearest"), call.ndim() - 2
    if mode == "area":
        return "SqueezeBackward1" if dims == 1 else f"AdaptiveAvgPool{dims}D"
    kind = {"nearest-exact": "NearestExact"}.get(mode, mode.removesuffix("linear").capitalize())
    return f"Upsample{kind}{'linear' * (kind in ('Bi', 'Tri'))}{dims}D" if kind else f"UpsampleLinear{dims}D"


def _adaptive(dims: int) -> Callable[[_Call], str]:
    def name(call: _Call) -> str:
        size = call.get(1, "output_size")
        ones = all(n == 1 for n in (size if isinstance(size, tuple | list) else (size,)))
        return "MeanBackward1" if ones else f"AdaptiveAvgPool{dims}D"

    return name


def _grid_sampled(call: _Call) -> str:
    return f"GridSampler{call.ndim() - 2}D"


def _attended(call: _Call) -> str:
    return "UnsafeView" if call.ndim() != 4 or call.get(4, "dropout_p", 0.0) else "ScaledDotProductFlashAttentionForCpu"


def _prod(call: _Call) -> str:
    return f"ProdBackward{int(call.get(1, 'dim') is not None)}"


def _pad(call: _Call) -> str:
    kinds = {"reflect": "ReflectionPad", "replicate": "ReplicationPad"}
    mode = call.get(2, "mode", "constant")
    if mode in kinds:
        return f"{kinds[mode]}{len(call.get(1, 'pad')) // 2}D"
    return "ConstantPadNd" if mode == "constant" else "Slice"


# Ops whose backward PyTorch names otherwise than by their own name in capitals.
_NAMES: dict[str, _Name] = {
    "pow": _power, "sub": _difference, "div": _quotient, "square": "Pow", "log1p": "Log1P", "to": "ToCopy",
    "sum": _over_dims("Sum"), "mean": _over_dims("Mean"), "norm": "LinalgVectorNorm", "clamp": _clamped,
    "matmul": _product, "linear": _dense, "reshape": _reshaped, "permute": _permuted, "getitem": _taken,
    "narrow": "Slice", "index_set": "CopySlices", "label_cross_entropy": _labels, "conv2d": "Convolution",
    "max_pool2d": "MaxPool2DWithIndices", "avg_pool2d": "AvgPool2D", "normalize": "NativeBatchNorm",
    "normalize_by": "NativeBatchNorm",
    "bernoulli_nll": "BinaryCrossEntropy", "on_diagonal": "DiagEmbed", "remainder": _remainder, "fmod": _remainder,
    "det": "LinalgDet", "inv": "LinalgInvEx", "solve_matrix": "LinalgSolveEx", "cholesky": "LinalgCholeskyEx",
    "eigh": "LinalgEigh", "svd": "LinalgSvd", "qr": "LinalgQr", "slogdet": "LinalgSlogdet",
    "pinv": "LinalgPinv", "div_floor": "DivBackward2", "div_trunc": "DivBackward2", "sum_to": "SumBackward1",
}  # fmt: skip
_TELLING = ("label_cross_entropy",)  # ops whose own name says it, whichever composite they end
# What we compose of several ops and PyTorch has as one, so that the last of ours stands for it.
_COMPOSITES: dict[str, _Name] = {
    "mse_loss": "MseLoss", "smooth_l1_loss": "SmoothL1Loss", "huber_loss": "HuberLoss", "nll_loss": _nll,
    "cross_entropy": _cross_entropy, "binary_cross_entropy": "BinaryCrossEntropy",
    "binary_cross_entropy_with_logits": "BinaryCrossEntropyWithLogits", "gelu": "Gelu", "silu": "Silu",
    "masked_fill": "MaskedFill", "lerp": _lerp, "batch_norm": "NativeBatchNorm", "layer_norm": "NativeLayerNorm",
    "group_norm": "NativeGroupNorm", "embedding": "Embedding", "index_select": "IndexSelect", "stack": "Stack",
    "squeeze": _squeeze, "unsqueeze": "Unsqueeze", "norm": "LinalgVectorNorm", "prod": _prod, "pad": _pad,
    "repeat": "Repeat", "roll": "Roll", "mish": "Mish", "hardswish": "Hardswish", "selu": "Elu",
    "hardsigmoid": "Hardsigmoid", "hardtanh": "Hardtanh", "relu6": "Hardtanh", "glu": "Glu", "celu": "Celu",
    "logaddexp": "Logaddexp", "addcmul": "Addcmul", "addcdiv": "Addcdiv", "cumprod": "Cumprod", "bmm": "Bmm",
    "diagonal": "Diagonal", "trace": "Trace", "masked_select": "MaskedSelect", "median": "Median", "addmm": "Addmm",
    "addmv": "Addmv", "baddbmm": "Baddbmm", "addbmm": "Addbmm", "addr": "Addr", "take": "Take",
    "nan_to_num": "NanToNum", "nansum": "Nansum", "cdist": "Cdist", "tile": "Repeat", "movedim": "Permute",
    "index_add": "IndexAdd", "index_copy": "IndexCopy", "index_fill": "IndexFill", "outer": "Mul", "einsum": _einsum,
    "cross": "LinalgCross", "frac": "Frac", "sinc": "Sinc", "dist": "Dist", "deg2rad": "Deg2Rad",
    "rad2deg": "Rad2Deg", "block_diag": "BlockDiag", "scatter_reduce": "ScatterReduce",
    "matrix_norm": _matrix_norm, "cond": _cond, "max_pool2d": "MaxPool2DWithIndices", "avg_pool2d": "AvgPool2D",
    "pixel_shuffle": "PixelShuffle", "threshold": "Threshold", "conv1d": "Convolution", "conv3d": "Convolution",
    "rrelu": "RreluWithNoise", "prelu": "PreluKernel", "hardshrink": "Hardshrink", "softshrink": "Softshrink",
    "instance_norm": "View", "max_pool3d": "MaxPool3DWithIndices", "avg_pool3d": "AvgPool3D",
    "max_unpool2d": "MaxUnpool2D", "max_unpool3d": "MaxUnpool3D", "adaptive_avg_pool2d": _adaptive(2),
    "adaptive_avg_pool3d": _adaptive(3), "adaptive_max_pool1d": "SqueezeBackward1",
    "adaptive_max_pool2d": "AdaptiveMaxPool2D", "adaptive_max_pool3d": "AdaptiveMaxPool3D",
    "fold": "Col2Im", "interpolate": _resized, "pixel_unshuffle": "PixelUnshuffle",
    "channel_shuffle": "ChannelShuffle", "grid_sample": _grid_sampled, "affine_grid": "AffineGridGenerator",
    "pairwise_distance": "NormBackward1", "pdist": "Pdist", "soft_margin_loss": "SoftMarginLoss",
    "multi_margin_loss": "MultiMarginLoss", "multilabel_margin_loss": "MultilabelMarginLoss",
    "scaled_dot_product_attention": _attended, "rot90": "Rot90", "cholesky_solve": "CholeskySolve",
    "solve_triangular": "LinalgSolveTriangular", "matrix_exp": "LinalgMatrixExp", "kron": "UnsafeView", "inner": "View",
    "tensordot": "View", "cov": "SqueezeBackward0", "quantile": "SqueezeBackward4", "mvlgamma": "Mvlgamma",
    "repeat_interleave": "View",
    "conv_transpose1d": "Convolution", "conv_transpose2d": "Convolution", "conv_transpose3d": "Convolution",
}  # fmt: skip
