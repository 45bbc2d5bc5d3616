"""Attention and the Transformer against PyTorch: initial weights, outputs, gradients, dropout, reprs, errors."""

import warnings

import numpy as np
import pytest

import minigrad as mg

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch", reason="the oracle is not installed")


@pytest.fixture(autouse=True)
def coins_from_one_stream():
    """On Intel processors PyTorch takes dropout from MKL's stream; which numbers are dropped cannot agree there."""
    torch.manual_seed(0), mg.manual_seed(0)
    if not np.array_equal(torch.empty(99).bernoulli_(0.3).numpy(), mg.empty(99).bernoulli_(0.3).numpy()):
        pytest.skip("on this processor PyTorch draws dropout from MKL's stream, not from its own")


def array(x):
    return x.detach().numpy()


def close(ours, theirs, **tolerance):
    """Compare tensors, or tuples and lists of them."""
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            close(a, b, **tolerance)
    elif theirs is None:
        assert ours is None
    else:
        a, b = array(ours), array(theirs)
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, **({"rtol": 1e-4, "atol": 2e-5} | tolerance))


def both(run, **tolerance):
    """Run the same program with either library from the same seed; compare what it returns."""
    results = []
    for t in (mg, torch):
        t.manual_seed(11)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch speaks of nested tensors and of masks of two dtypes
            results.append(run(t))
    close(*results, **tolerance)


def trained(t, module, *args, **kwargs):
    """Return a module's outputs, parameters and gradients, and what is drawn next."""
    out = module(*args, **kwargs)
    out = list(out) if isinstance(out, tuple) else [out]
    weight = t.linspace(-1, 1, out[0].numel(), dtype=out[0].dtype).reshape(out[0].shape)
    (out[0] * weight).sum().backward()
    leaves = [*module.parameters(), *(a for a in args if a.requires_grad)]
    return [*out, *leaves, *(x.grad for x in leaves), t.rand(2)]


# --- scaled_dot_product_attention ---

SDPA = {
    "plain": ((2, 3, 4, 5), (2, 3, 6, 5), {}),
    "no batch": ((4, 5), (6, 5), {}),
    "causal": ((2, 4, 5), (2, 6, 5), {"is_causal": True}),
    "causal, long query": ((2, 6, 5), (2, 4, 5), {"is_causal": True}),
    "scale": ((2, 4, 5), (2, 6, 5), {"scale": 0.3}),
    "dropout": ((2, 3, 4, 5), (2, 3, 6, 5), {"dropout_p": 0.4}),
    "dropout, causal": ((2, 3, 6, 5), (2, 3, 6, 5), {"dropout_p": 0.4, "is_causal": True}),
    "grouped heads": ((2, 6, 4, 5), (2, 3, 6, 5), {"enable_gqa": True}),
    "broadcast": ((2, 3, 4, 5), (1, 3, 6, 5), {}),
    "bool mask": ((2, 4, 5), (2, 6, 5), {"attn_mask": "bool"}),
    "float mask": ((2, 4, 5), (2, 6, 5), {"attn_mask": "float"}),
    "one place": ((1, 1, 5), (1, 1, 5), {}),
    "no queries": ((2, 0, 5), (2, 3, 5), {}),
}


def sdpa_mask(t, kind, dtype):
    looks = np.arange(24).reshape(4, 6) % 3 > 0
    looks[2] = False  # a query that may look nowhere
    return t.tensor(looks.tolist()) if kind == "bool" else t.linspace(-1, 1, 24, dtype=dtype).reshape(4, 6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SDPA)
def test_scaled_dot_product_attention(case, dtype):
    q_shape, k_shape, settings = SDPA[case]

    def run(t):
        kind, options = getattr(t, dtype), dict(settings)
        q, k, v = (t.rand(*s, dtype=kind).requires_grad_() for s in (q_shape, k_shape, k_shape))
        if "attn_mask" in options:
            options["attn_mask"] = sdpa_mask(t, options["attn_mask"], kind)
        y = t.nn.functional.scaled_dot_product_attention(q, k, v, **options)
        (y * t.linspace(-1, 1, y.numel(), dtype=kind).reshape(y.shape)).sum().backward()
        return [y, q.grad, k.grad, v.grad, t.rand(2)]

    both(run, **({} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}))


def test_a_mask_that_is_trained_gets_its_gradient():
    def run(t):
        q, mask = t.rand(2, 3, 4, dtype=t.float64), t.zeros(3, 3, dtype=t.float64, requires_grad=True)
        t.nn.functional.scaled_dot_product_attention(q, q, q, mask).pow(2).sum().backward()
        return mask.grad

    both(run, rtol=1e-10, atol=1e-12)


# --- MultiheadAttention ---

MHA = {
    "plain": {},
    "no bias": {"bias": False},
    "bias_kv": {"add_bias_kv": True},
    "zero": {"add_zero_attn": True},
    "bias_kv and zero": {"add_bias_kv": True, "add_zero_attn": True},
    "other widths": {"kdim": 5, "vdim": 3},
    "other width, no bias": {"kdim": 5, "bias": False},
    "batch first": {"batch_first": True},
    "dropout": {"dropout": 0.4},
    "dropout, batch first": {"dropout": 0.4, "batch_first": True},
    "one head": {"num_heads": 1},
    "float64": {"dtype": "float64"},
}
CALLS = {
    "plain": {},
    "no weights": {"need_weights": False},
    "each head": {"average_attn_weights": False},
    "padding": {"key_padding_mask": "bool"},
    "padding, no weights": {"key_padding_mask": "bool", "need_weights": False},
    "float padding": {"key_padding_mask": "float"},
    "mask": {"attn_mask": "bool"},
    "float mask": {"attn_mask": "float", "need_weights": False},
    "mask for each head": {"attn_mask": "heads"},
    "mask for each head, no weights": {"attn_mask": "heads", "need_weights": False},
    "mask and padding": {"attn_mask": "float", "key_padding_mask": "float", "need_weights": False},
    "causal": {"attn_mask": "bool", "is_causal": True, "need_weights": False},
    "causal, padding": {"attn_mask": "bool", "is_causal": True, "key_padding_mask": "bool", "need_weights": False},
    "unbatched": {"unbatched": True},
    "unbatched, padding, mask": {"unbatched": True, "key_padding_mask": "bool", "attn_mask": "heads"},
}
N, L, S = 3, 4, 5


def masks(t, call, heads, dtype):
    """Return the arguments of a call with its masks made."""
    batch = 1 if call.get("unbatched") else N
    kinds = {k: v for k, v in call.items() if k != "unbatched"}
    later = np.triu(np.ones((L, S), bool), 1)
    padded = np.arange(S) >= np.array([[5], [3], [4]])[:batch]
    values = {"key_padding_mask": padded[0] if batch == 1 else padded, "attn_mask": later}
    for name, kind in kinds.items():
        if name in values:
            mask = np.stack([later] * (batch * heads)) if kind == "heads" else values[name]
            kinds[name] = t.tensor((mask * -1.5).tolist(), dtype=dtype) if kind == "float" else t.tensor(mask.tolist())
    return kinds


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("settings", MHA)
def test_multihead_attention(settings, call):
    options = {"num_heads": 2} | MHA[settings]

    def run(t):
        kind = getattr(t, options.get("dtype", "float32"))
        layer = t.nn.MultiheadAttention(6, **options | {"dtype": kind})
        widths = (6, options.get("kdim", 6), options.get("vdim", 6))
        lengths = [(n,) if CALLS[call].get("unbatched") else (n, N) for n in (L, S, S)]
        if options.get("batch_first"):
            lengths = [n[::-1] for n in lengths]
        inputs = [t.randn(*n, w, dtype=kind).requires_grad_() for n, w in zip(lengths, widths, strict=True)]
        return trained(t, layer, *inputs, **masks(t, CALLS[call], options["num_heads"], kind))

    both(run)


@pytest.mark.parametrize("settings", [name for name, options in MHA.items() if "kdim" not in options])
def test_multihead_attention_of_a_sequence_with_itself(settings):
    options = {"num_heads": 2} | MHA[settings]

    def run(t):
        kind = getattr(t, options.get("dtype", "float32"))
        layer, x = t.nn.MultiheadAttention(6, **options | {"dtype": kind}), t.randn(L, N, 6, dtype=kind)
        return trained(t, layer, x.requires_grad_(), x, x) + trained(t, layer, x, x * 2, x * 2, need_weights=False)

    both(run)


# --- layers, stacks, the whole ---

LAYERS = {
    "plain": {},
    "dropout": {"dropout": 0.3},
    "batch first": {"batch_first": True, "dropout": 0.3},
    "norm first": {"norm_first": True, "dropout": 0.3},
    "gelu": {"activation": "gelu"},
    "no bias": {"bias": False},
    "eps": {"layer_norm_eps": 0.1},
    "function": {"activation": "tanh"},
    "module": {"activation": "GELU"},
    "float64": {"dtype": "float64"},
}


def settings_of(t, case):
    """Return the arguments of a layer, those that belong to the library looked up in it."""
    options = {"dropout": 0.0} | LAYERS[case]
    activation = options.get("activation")
    if activation in ("tanh", "GELU"):
        options["activation"] = t.tanh if activation == "tanh" else t.nn.GELU()
    options["dtype"] = getattr(t, options.get("dtype", "float32"))
    return options


def sequence(t, case, length):
    shape = (N, length, 6) if LAYERS[case].get("batch_first") else (length, N, 6)
    return t.randn(*shape, dtype=getattr(t, LAYERS[case].get("dtype", "float32")))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", LAYERS)
def test_encoder(case, masked):
    def run(t):
        layer = t.nn.TransformerEncoderLayer(6, 2, 8, **settings_of(t, case))
        stack = t.nn.TransformerEncoder(layer, 2, t.nn.LayerNorm(6, dtype=settings_of(t, case)["dtype"]))
        later = t.ones(S, S).triu(1).bool()
        padding = t.tensor((np.arange(S) >= np.array([[5], [3], [4]])).tolist())
        options = {"mask": later, "src_key_padding_mask": padding} if masked else {}
        src = sequence(t, case, S).requires_grad_()
        alone = layer(src, *options.values())
        return [alone, *trained(t, stack, src, **options)]

    both(run)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", LAYERS)
def test_decoder(case, masked):
    def run(t):
        layer = t.nn.TransformerDecoderLayer(6, 2, 8, **settings_of(t, case))
        stack = t.nn.TransformerDecoder(layer, 2)
        tgt, memory = sequence(t, case, L).requires_grad_(), sequence(t, case, S).requires_grad_()
        padding = t.tensor((np.arange(S) >= np.array([[5], [3], [4]])).tolist())
        options = {"tgt_mask": t.ones(L, L).triu(1).bool(), "memory_key_padding_mask": padding} if masked else {}
        return [layer(tgt, memory, **options), *trained(t, stack, tgt, memory, **options)]

    both(run)


@pytest.mark.parametrize("case", LAYERS)
def test_transformer(case):
    def run(t):
        model = t.nn.Transformer(6, 2, 2, 1, 8, **settings_of(t, case))
        mask = model.generate_square_subsequent_mask(L, dtype=settings_of(t, case)["dtype"])
        src, tgt = sequence(t, case, S).requires_grad_(), sequence(t, case, L).requires_grad_()
        return [mask, *trained(t, model, src, tgt, tgt_mask=mask), model(src, tgt, tgt_mask=mask, tgt_is_causal=True)]

    both(run, atol=1e-4)


def test_an_unbatched_transformer():
    def run(t):
        model = t.nn.Transformer(6, 2, 1, 1, 8, dropout=0.2)
        return trained(t, model, t.randn(S, 6), t.randn(L, 6))

    both(run)


@pytest.mark.parametrize("padded", [[5, 3, 4], [5, 5, 5], [2, 1, 5]])
@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(
    ("layer", "stack"),
    [
        ({}, {}),
        ({"batch_first": False}, {}),
        ({"norm_first": True}, {}),
        ({"activation": "gelu"}, {"mask_check": False}),
        ({}, {"enable_nested_tensor": False}),
        ({"padding": "first"}, {}),
    ],
)
def test_padding_in_evaluation_is_zero_where_pytorch_makes_it_so(layer, stack, grad, padded):
    def run(t):
        options = {"batch_first": True} | layer
        first = options.pop("padding", None)
        model = t.nn.TransformerEncoder(t.nn.TransformerEncoderLayer(6, 2, 8, **options), 2, **stack).eval()
        rows = np.arange(S) < 2 if first else np.arange(S) >= np.array(padded)[:, None]
        padding = t.tensor(np.broadcast_to(rows, (N, S)).tolist())
        src = t.randn(*((N, S, 6) if options["batch_first"] else (S, N, 6)))
        with t.set_grad_enabled(grad):
            return model(src, src_key_padding_mask=padding)

    both(run)


def modules(t):
    yield t.nn.MultiheadAttention(6, 2, add_bias_kv=True)
    yield t.nn.MultiheadAttention(6, 2, kdim=3, bias=False)
    for activation in ("gelu", t.nn.ReLU()):
        yield t.nn.Transformer(6, 2, 2, 1, 8, activation=activation, norm_first=True)


def test_reprs_and_state_dicts_are_pytorchs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = list(zip(modules(mg), modules(torch), strict=True))
    for ours, theirs in pairs:
        assert repr(ours) == repr(theirs)
        a, b = ours.state_dict(), theirs.state_dict()
        assert [(k, tuple(v.shape)) for k, v in a.items()] == [(k, tuple(v.shape)) for k, v in b.items()]
        assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]


X = mg.zeros(4, 3, 6)
REFUSED = {
    "heads": (lambda: mg.nn.MultiheadAttention(6, 4), "embed_dim must be divisible by num_heads"),
    "no heads": (lambda: mg.nn.MultiheadAttention(6, 0), "must be greater than 0"),
    "width": (lambda: mg.nn.MultiheadAttention(4, 2)(X, X, X), "expecting embedding dimension of 4, but got 6"),
    "lengths": (lambda: mg.nn.MultiheadAttention(6, 2)(X, X, X[:2]), "do not match value's"),
    "dims": (lambda: mg.nn.MultiheadAttention(6, 2)(X, X[0], X), "unbatched 2D or all batched 3D"),
    "mask": (lambda: mg.nn.MultiheadAttention(6, 2)(X, X, X, attn_mask=mg.zeros(3, 4)), "shape of the 2D attn_mask"),
    "heads' mask": (lambda: mg.nn.MultiheadAttention(6, 2)(X, X, X, attn_mask=mg.zeros(3, 4, 4)), "3D attn_mask"),
    "padding": (lambda: mg.nn.MultiheadAttention(6, 2)(X, X, X, mg.zeros(4, 3)), r"shape \(3, 4\), but got \(4, 3\)"),
    "integers": (
        lambda: mg.nn.MultiheadAttention(6, 2)(X, X, X, attn_mask=mg.zeros(4, 4).long()),
        "only bool and floating types of attn_mask",
    ),
    "hint": (lambda: mg.nn.MultiheadAttention(6, 2)(X, X, X, is_causal=True), "Need attn_mask"),
    "both": (
        lambda: mg.nn.functional.scaled_dot_product_attention(X, X, X, mg.zeros(3, 3), is_causal=True),
        "Explicit attn_mask should not be set when is_causal=True",
    ),
    "activation": (lambda: mg.nn.TransformerEncoderLayer(6, 2, activation="x"), "activation should be relu/gelu"),
    "batches": (lambda: mg.nn.Transformer(6, 2, 1, 1, 8)(X, X[:, :2]), "batch number of src and tgt must be equal"),
    "features": (lambda: mg.nn.Transformer(4, 2, 1, 1, 8)(X, X), "feature number of src and tgt"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_words(case):
    call, words = REFUSED[case]
    with pytest.raises(ValueError, match=words) if case != "integers" else pytest.raises(TypeError, match=words):
        call()
