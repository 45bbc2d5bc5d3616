"""The local derivative of every primitive, as it is written on a board; `formulas.py` says how to read the lines."""

from __future__ import annotations

NO_GRADIENT = ("no gradient",)

Table = dict[str, tuple[str, ...]]

# What is constant but for jumps, and what answers with truth values, whole numbers or places.
FLAT: Table = dict.fromkeys(["ceil", "floor", "round", "sign", "trunc"], ("dx = 0",)) | dict.fromkeys(
    ("div_floor", "div_trunc"), ("dleft = 0", "dright = 0")
)
WITHOUT: Table = dict.fromkeys(
    [
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "isclose",
        "isfinite",
        "isinf",
        "isnan",
        "isneginf",
        "isposinf",
        "signbit",
        "heaviside",
        "nextafter",
        "floor_divide",
        "gcd",
        "lcm",
        "logical_and",
        "logical_not",
        "logical_or",
        "logical_xor",
        "bitwise_and",
        "bitwise_not",
        "bitwise_or",
        "bitwise_xor",
        "bitwise_left_shift",
        "bitwise_right_shift",
        "argmax",
        "argmin",
        "bincount",
        "histogram",
        "nonzero",
        "searchsorted",
        "unique",
        "unique_consecutive",
        "geqrf",
        "lu_info",
        "matrix_rank",
    ],
    NO_GRADIENT,
)

ARITHMETIC: Table = {
    "add": ("dleft = g", "dright = g"),
    "sub": ("dleft = g", "dright = -g"),
    "mul": ("dleft = g * right", "dright = g * left"),
    "div": ("dleft = g / right", "dright = -g * left / right**2"),
    "neg": ("dx = -g",),
    "pow": ("dleft = g * right * left**(right - 1)", "dright = g * y * log(left)"),
    "square": ("dx = 2 * g * x",),
    "reciprocal": ("dx = -g / x**2",),
    "sqrt": ("dx = g / (2 * y)",),
    "rsqrt": ("dx = -g * y**3 / 2",),
    "hypot": ("dleft = g * left / y", "dright = g * right / y"),
    "remainder": ("dleft = g", "dright = -g * floor(left / right)"),
    "fmod": ("dleft = g", "dright = -g * trunc(left / right)"),
    "addcmul": ("dx = g", "dleft = value * g * right", "dright = value * g * left"),
    "addcdiv": ("dx = g", "dleft = value * g / right", "dright = -value * g * left / right**2"),
    "lerp": ("dstart = g * (1 - weight)", "dend = g * weight", "dweight = g * (end - start)"),
    "clone": ("dx = g",),
    "to": ("dx = g.astype(x.dtype)",),
    "frexp": ("dx = g_mantissa / 2.0**exponent",),
}

EXPONENTIALS: Table = {
    "exp": ("dx = g * y",),
    "exp2": ("dx = g * y * log(2)",),
    "expm1": ("dx = g * (y + 1)",),
    "log": ("dx = g / x",),
    "log2": ("dx = g / (x * log(2))",),
    "log10": ("dx = g / (x * log(10))",),
    "log1p": ("dx = g / (1 + x)",),
    "logaddexp": ("dleft = g * sigmoid(left - right)", "dright = g * sigmoid(right - left)"),
    "logaddexp2": (
        "dleft = g * sigmoid((left - right) * log(2))",
        "dright = g * sigmoid((right - left) * log(2))",
    ),
    "logit": ("dx = where(inside(x, eps), g / (x * (1 - x)), 0)",),
    "xlogy": ("dleft = g * log(right)", "dright = g * left / right"),
    "erf": ("dx = g * 2 / sqrt(pi) * exp(-x**2)",),
    "erfc": ("dx = -g * 2 / sqrt(pi) * exp(-x**2)",),
    "erfinv": ("dx = g * sqrt(pi) / 2 * exp(y**2)",),
    "lgamma": ("dx = g * polygamma(0, x)",),
    "polygamma": ("dx = g * polygamma(n + 1, x)",),
}

ANGLES: Table = {
    "sin": ("dx = g * cos(x)",),
    "cos": ("dx = -g * sin(x)",),
    "tan": ("dx = g * (1 + y**2)",),
    "asin": ("dx = g / sqrt(1 - x**2)",),
    "acos": ("dx = -g / sqrt(1 - x**2)",),
    "atan": ("dx = g / (1 + x**2)",),
    "atan2": ("dleft = g * right / (left**2 + right**2)", "dright = -g * left / (left**2 + right**2)"),
    "sinh": ("dx = g * cosh(x)",),
    "cosh": ("dx = g * sinh(x)",),
    "tanh": ("dx = g * (1 - y**2)",),
    "asinh": ("dx = g / sqrt(x**2 + 1)",),
    "acosh": ("dx = g / sqrt(x**2 - 1)",),
    "atanh": ("dx = g / (1 - x**2)",),
}

PIECES: Table = {
    "abs": ("dx = g * sign(x)",),
    "copysign": ("dleft = g * sign(left * y)",),
    "clamp": ("dx = where(within(x, min, max), g, 0)",),
    "where": ("dleft = where(condition, g, 0)", "dright = where(condition, 0, g)"),
    "maximum": (
        "dleft = g * where(left == right, 1 / 2, left > right)",
        "dright = g * where(left == right, 1 / 2, right > left)",
    ),
    "minimum": (
        "dleft = g * where(left == right, 1 / 2, left < right)",
        "dright = g * where(left == right, 1 / 2, right < left)",
    ),
    "fmax": ("dleft = where(left >= right, g, 0)", "dright = where(left >= right, 0, g)"),
    "fmin": ("dleft = where(left <= right, g, 0)", "dright = where(left <= right, 0, g)"),
}

ACTIVATIONS: Table = {
    "relu": ("dx = where(x > 0, g, 0)",),
    "relu_grad": ("du = where(z > 0, g, 0)",),
    "leaky_relu": ("dx = where(x > 0, g, g * negative_slope)",),
    "elu": ("dx = where(x > 0, g, g * alpha * exp(x))",),
    "softplus": ("dx = where(beta * x > threshold, g, g * sigmoid(beta * x))",),
    "sigmoid": ("dx = g * y * (1 - y)",),
    "log_sigmoid": ("dx = g * sigmoid(-x)",),
    "erf_gelu": (
        "below = (1 + erf(x / sqrt(2))) / 2",
        "dx = g * (below + x * exp(-x**2 / 2) / sqrt(2 * pi))",
    ),
    "softmax": ("dx = y * (g - sum(g * y, dim))",),
    "log_softmax": ("dx = g - exp(y) * sum(g, dim)",),
}

REDUCTIONS: Table = {
    "sum": ("dx = spread(g, dim, x)",),
    "mean": ("dx = spread(g, dim, x) / count(x, dim)",),
    "var": ("h = spread(g, dim, x) / (count(x, dim) - correction)", "dx = 2 * h * (x - mean(x, dim))"),
    "std": ("h = spread(g / y, dim, x) / (count(x, dim) - correction)", "dx = h * (x - mean(x, dim))"),
    "norm": ("h = abs(x) / spread(y, dim, x)", "dx = spread(g, dim, x) * sign(x) * h**(p - 1)"),
    "amax": ("dx = spread(g, dim, x) * share(x == spread(y, dim, x), dim)",),
    "amin": ("dx = spread(g, dim, x) * share(x == spread(y, dim, x), dim)",),
    "logsumexp": ("dx = spread(g, dim, x) * softmax(x, dim)",),
    "cumsum": ("dx = flip(cumsum(flip(g, dim), dim), dim)",),
    "logcumsumexp": ("dx = exp(x) * flip(cumsum(flip(g * exp(-y), dim), dim), dim)",),
    "sum_to": ("dx = expand(g, x.shape)",),
    "channel_sum": ("dx = expand(align(g, (1,), x), x.shape)",),
} | dict.fromkeys(
    ("max", "min", "median", "kthvalue", "mode", "sort", "topk", "cummax", "cummin"),
    ("dx = scatter(g, indices, dim, x)",),
)

SHAPES: Table = {
    "reshape": ("dx = g.reshape(x.shape)",),
    "permute": ("dx = g.transpose(inverse(dims))",),
    "expand": ("dx = sum_to(g, x.shape)",),
    "flip": ("dx = flip(g, dims)",),
    "cat": ("dxs[i] = part(g, i, dim)",),
    "narrow": ("dx = widen(g, dim, start, x.shape[dim])",),
    "widen": ("dx = narrow(g, dim, start, x.shape[dim])",),
    "tril": ("dx = tril(g, diagonal)",),
    "triu": ("dx = triu(g, diagonal)",),
    "diagonal": ("dx = on_diagonal(g, offset, dim1, dim2, x)",),
    "on_diagonal": ("dx = diagonal(g, offset, dim1, dim2)",),
    "unfold": ("dx = add_windows(g, dim, step, x)",),
    "add_windows": ("dx = windows(g, dim, x.shape[-1], step)",),
    "as_strided": ("dx = add_strided(g, stride, offset, x)",),
    "add_strided": ("dx = as_strided(g, x.shape, stride, offset)",),
}

PLACES: Table = {
    "getitem": ("dx = put(g, index, x)",),
    "put_among_zeros": ("dx = g[index]",),
    "index_put": ("dx = erase(g, index)", "dvalue = g[index]"),
    "index_set": ("dx = erase(g, steps)", "dvalue = g[steps]"),
    "gather": ("dx = scatter(g, index, dim, x)",),
    "scatter_along": ("dx = gather(g, index, dim)",),
    "scatter_add": ("dx = g", "dsrc = corner(gather(g, index, dim), src)"),
    "scatter": ("dx = erase_along(g, index, dim)", "dsrc = corner(gather(g, index, dim), src)"),
    "scatter_reduce": ("dx = vjp(scatter_reduce, x)(g)", "dsrc = vjp(scatter_reduce, src)(g)"),
    "masked_scatter": ("dx = where(mask, 0, g)", "dsource = fill(select(g, mask), source)"),
}

MATRICES: Table = {
    "matmul": ("dleft = g @ right.T", "dright = left.T @ g"),
    "linear": ("dx = g @ weight", "dweight = rows(g).T @ rows(x)", "dbias = g"),
    "inv": ("dx = -y.T @ g @ y.T",),
    "pinv": (
        "beside = (I - x @ y) @ g.T @ y @ y.T",
        "below = y.T @ y @ g.T @ (I - y @ x)",
        "dx = beside + below - y.T @ g @ y.T",
    ),
    "solve_matrix": ("dleft = -solve(left.T, g) @ y.T", "dright = solve(left.T, g)"),
    "det": ("dx = g[..., None, None] * cofactors(x)",),
    "slogdet": ("dx = g_logabsdet[..., None, None] * inv(x).T",),
    "cofactors": ("dx = (trace(g.T @ y) * I - y @ g.T) @ inv(x).T",),
    "cholesky": ("dx = sym(inv(y).T @ lower(y.T @ g) @ inv(y))",),
    "eigh": (
        "h = diag(g_values) + gaps(values) * (vectors.T @ g_vectors)",
        "dx = vectors @ h @ vectors.T",
    ),
    "qr": (
        "near, far = split(r, q.shape[-1:], -1)",
        "g_near, g_far = split(g_r, q.shape[-1:], -1)",
        "h = g_q + q @ far @ g_far.T",
        "m = near @ g_near.T - h.T @ q",
        "square = (h + q @ copyltu(m)) @ inv(near).T",
        "dx = concatenate((square, q @ g_far), -1)",
    ),
    "svd": (  # with full_matrices, u and vh are their first columns and rows here
        "left = gaps(s**2) * skew(u.T @ g_u)",
        "right = gaps(s**2) * skew(vh @ g_vh.T)",
        "core = left @ diag(s) + diag(s) @ right + diag(g_s)",
        "below = (I - u @ u.T) @ g_u @ diag(1 / s) @ vh",
        "beside = u @ diag(1 / s) @ g_vh @ (I - vh.T @ vh)",
        "dx = u @ core @ vh + below + beside",
    ),
    "lu": (
        "square, below, beside = blocks(lu)",
        "g_square, g_below, g_beside = blocks(g_lu)",
        "l, u = I + tril(square, -1), triu(square)",
        "under = g_below @ inv(u).T",
        "aside = inv(l).T @ g_beside",
        "g_l = g_square - aside @ beside.T",
        "g_u = g_square - below.T @ under",
        "core = tril(l.T @ g_l, -1) + triu(g_u @ u.T)",
        "whole = bordered(inv(l).T @ core @ inv(u).T, under, aside)",
        "dx = take_along_axis(whole, places[..., None], -2)",
    ),
}

LAYERS: Table = {
    "conv2d": ("dx = conv_transpose(g, weight)", "dweight = correlate(x, g)", "dbias = sum_along(g, (1,))"),
    "conv2d_input_grad": ("du = conv(g, weight)", "dweight = correlate(g, u)"),
    "conv2d_weight_grad": ("du = conv(x, g)", "dx = conv_transpose(u, g)"),
    "max_pool2d": ("dx = to_maxima(g, x)",),
    "max_pool2d_scatter": ("du = at_maxima(g, x)",),
    "max_pool2d_gather": ("du = to_maxima(g, x)",),
    "avg_pool2d": ("dx = unpool(g)",),
    "avg_pool2d_spread": ("du = pool(g)",),
    "normalize": (
        "hat = (x - mean) / sqrt(var + eps)",
        "h = g * align(weight, along, x)",
        "dx = (h - E(h) - hat * E(h * hat)) / sqrt(var + eps)",
        "dweight = sum_along(g * hat, along)",
        "dbias = sum_along(g, along)",
    ),
    "normalize_by": (
        "away, root = x - align(mean, (1,), x), sqrt(var + eps)",
        "scale = align(weight, (1,), x) / align(root, (1,), x)",
        "dx = g * scale",
        "dmean = -sum_along(g * scale, (1,))",
        "dvar = -sum_along(g * away * scale, (1,)) / (2 * root**2)",
        "dweight = sum_along(g * away, (1,)) / root",
        "dbias = sum_along(g, (1,))",
    ),
    "bernoulli_nll": ("dx = g * (x - t) / maximum(x * (1 - x), 1e-12)", "dt = g * (log(1 - x) - log(x))"),
    "label_cross_entropy": ("dx = (softmax(x, dim) - one_hot(label)) * each(g)",),
}


def _as_a_whole(op: str, inputs: str, gradients: str) -> tuple[str, ...]:
    return tuple(f"d{name} = vjp({op}, {name})({gradients})" for name in inputs.split())


# Back through time: `later(t, last)` is what the step after sent back, and so these lines are worked out from the last
# step to the first.
RECURRENT: Table = {
    "rnn": (
        "slope = where(relu, y > 0, 1 - y**2)",
        "dx = (g + later(dx @ weight, g_last)) * slope",
        "dh0 = first(dx @ weight, g_last)",
        "dweight = dx.T @ before(y, h0)",
    ),
    "gru": (
        "r, z, n = split(gates, 3, 1)",
        "h = g + later(h * z + hidden @ weight, g_last)",
        "to_n = h * (1 - z) * (1 - n**2)",
        "to_z = h * (before(y, h0) - n) * z * (1 - z)",
        "to_r = to_n * parts * r * (1 - r)",
        "hidden = concatenate((to_r, to_z, to_n * r), 1)",
        "dx = concatenate((to_r, to_z, to_n), 1)",
        "dh0 = first(h * z + hidden @ weight, g_last)",
        "dweight = hidden.T @ before(y, h0)",
        "dbias = sum_along(hidden, (1,))",
    ),
    "lstm": (
        "i, f, n, o = of_each_step(gates, 4)",
        "h = g + later(dx @ weight, g_last)",
        "u = projected(h, weight_hr)",
        "c = u * o * (1 - tanh(cells)**2) + later(c * f, g_last_c)",
        "to_i = c * n * i * (1 - i)",
        "to_f = c * before(cells, c0) * f * (1 - f)",
        "to_n = c * i * (1 - n**2)",
        "to_o = u * tanh(cells) * o * (1 - o)",
        "dx = concatenate((to_i, to_f, to_n, to_o), 1)",
        "dh0 = first(dx @ weight, g_last)",
        "dc0 = first(c * f, g_last_c)",
        "dweight = dx.T @ before(y, h0)",
        "dweight_hr = h.T @ (o * tanh(cells))",
    ),
}

# The gradients of gradients, which a second derivative meets.
WHOLE: Table = {
    "normalize_grad": _as_a_whole("normalize_grad", "u x weight mean var", "*gs"),
    "lstm_grad": _as_a_whole(
        "lstm_grad", "u u_last u_last_c u_cells u_gates before cells gates weight weight_hr", "*gs"
    ),
}

FORMULAS: Table = {
    **FLAT,
    **WITHOUT,
    **ARITHMETIC,
    **EXPONENTIALS,
    **ANGLES,
    **PIECES,
    **ACTIVATIONS,
    **REDUCTIONS,
    **SHAPES,
    **PLACES,
    **MATRICES,
    **LAYERS,
    **RECURRENT,
    **WHOLE,
}
