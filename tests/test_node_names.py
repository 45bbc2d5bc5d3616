"""What nodes of the graph are called, against PyTorch's names."""

import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

TEXTS = """
x + 1; x + x; x - 1; 1 - x; x * 2; x * x; x / 2; x / x; 1 / x; -x; x ** 2; x ** x; 2 ** x; x ** 0.5; s * 2; x % 2
x.exp(); x.log(); x.sqrt(); x.rsqrt(); x.reciprocal(); x.square(); x.sin(); x.cos(); x.tanh(); x.sigmoid(); x.relu()
x.abs(); x.erf(); x.expm1(); x.log1p(); x.log2(); x.log10(); x.clamp(0, 1); x.clamp(min=0); x.clamp(min=v)
x.sum(); x.sum(1); x.sum((0, 1)); x.mean(); x.mean(1); x.prod(); x.prod(1); x.max(); x.min(); x.amax(1); x.amin()
x.max(1)[0]; x.min(1)[0]; x.var(); x.var(1); x.std(); x.std(1); x.norm(); x.norm(dim=1); x.norm(p=1)
x.logsumexp(1); x.softmax(1); x.log_softmax(1); x.cumsum(1); m.maximum(x, x * 2); m.minimum(x, x * 2)
x.view(-1); x.reshape(-1); x.flatten(); b.flatten(1); x.unsqueeze(0); x[:, :1].squeeze(1); x[:, :1].squeeze()
x.t(); x.T; x.mT; x.transpose(0, 1); x.permute(1, 0); b.permute(2, 0, 1); x.expand(2, 3, 4)
x[0]; x[0:2]; x[:, 0]; x[0, :]; x[:, 1:2]; x[None]; x[..., 0]; x[0, 1]; x[c]; x[x > 0.5]; x[c, c]; x[:, None]; x[:]
x[...]; x.split(2)[0]; x.chunk(2)[0]; x.unbind(0)[0]; next(iter(x)); m.cat([x, x]); m.stack([x, x])
m.where(x > 0, x, x * 2); x.masked_fill(x > 0, 0.0); x.gather(1, c[:, None]); x.scatter_add(1, c[:, None], x)
x.tril(); x.triu(); x.flip(0); x.clone(); x.double(); x.half(); x.index_select(0, c); m.lerp(x, x * 2, 0.5)
x @ x.t(); x @ v; v @ v; v @ x.t(); b @ x.t(); b @ b.transpose(1, 2); b @ v; m.bmm(b, b.transpose(1, 2)); v.dot(v)
F.linear(x, w, z); F.linear(x, w); F.linear(b, w, z); F.linear(b, w); F.linear(v, w, z); F.linear(v, w)
F.mse_loss(x, x * 2); F.mse_loss(x, x, reduction="sum"); F.mse_loss(x, x, reduction="none"); F.l1_loss(x, x * 2)
F.smooth_l1_loss(x, x * 2); F.huber_loss(x, x * 2); F.nll_loss(x.log_softmax(1), c); F.cross_entropy(x, c)
F.cross_entropy(x, c, reduction="none"); F.cross_entropy(x, c, label_smoothing=0.1); F.cross_entropy(x, x.detach())
F.cross_entropy(x, c, weight=v.detach()); F.cross_entropy(x, c, ignore_index=1); nn.CrossEntropyLoss()(x, c)
F.cross_entropy(b, c[:2, None].expand(2, 4)); F.nll_loss(b, c[:2, None].expand(2, 4))
F.binary_cross_entropy(x, x.detach()); F.binary_cross_entropy_with_logits(x, x.detach()); nn.MSELoss()(x, x * 2)
F.gelu(x); F.silu(x); F.elu(x); F.leaky_relu(x); F.softplus(x); F.logsigmoid(x); F.dropout(x, 0.5); F.softmax(x, 1)
nn.Dropout2d()(i); nn.Conv2d(4, 2, 3)(i); F.max_pool2d(i, 2); F.avg_pool2d(i, 2); nn.BatchNorm2d(4)(i)
nn.BatchNorm1d(4)(x); nn.BatchNorm1d(4).eval()(x); nn.LayerNorm(4)(x); F.embedding(c, x); F.pad(x, (1, 1))
F.pad(i, (1, 1, 1, 1), mode="reflect"); F.normalize(x)
F.hardtanh(x); F.relu6(x); F.glu(x); F.mish(x); F.selu(x); F.celu(x); F.hardswish(x); F.hardsigmoid(x); F.hardshrink(x)
F.softshrink(x); F.threshold(x, 0.1, 0.0); F.prelu(x, v); nn.PReLU()(x); F.rrelu(x); F.group_norm(i, 2)
F.instance_norm(i); F.max_pool2d(i[0], 2); F.avg_pool2d(i[0], 2); F.max_pool3d(i[None], 2); F.avg_pool3d(i[None], 2)
F.adaptive_avg_pool2d(i, 2); F.adaptive_avg_pool2d(i, (1, 1)); F.adaptive_max_pool2d(i, 2); F.pixel_shuffle(i, 2)
F.pixel_unshuffle(i, 2); F.unfold(i, 2); x.unfold(0, 2, 1); F.embedding_bag(c[None], x); F.multi_margin_loss(x, c)
F.soft_margin_loss(x, x.detach().sign()); F.interpolate(b, scale_factor=2); F.interpolate(i, scale_factor=2)
F.interpolate(b, scale_factor=2, mode="linear"); F.interpolate(i, scale_factor=2, mode="bilinear")
F.interpolate(i, scale_factor=2, mode="bicubic"); F.interpolate(i, scale_factor=2, mode="nearest-exact")
F.interpolate(i, 2, mode="area"); F.interpolate(i[None], scale_factor=2, mode="trilinear"); m.tensordot(x, x, 2)
nn.LSTM(4, 2)(x)[0]; nn.GRU(4, 2)(b)[0]; nn.RNN(4, 2)(b)[0]; nn.GRU(4, 2, batch_first=True)(b)[0]; x.rot90()
F.fold(b, (2, 2), 1); nn.LSTM(4, 2, batch_first=True)(b)[0]; nn.GRU(4, 2, bidirectional=True)(b)[0]; nn.GRU(4, 2)(b)[1]
nn.LSTMCell(4, 2)(x)[0]; nn.GRUCell(4, 2)(x); nn.RNNCell(4, 2)(x); m.kron(x, x)
F.relu6(x); F.selu(x); F.celu(x); F.rrelu(x); F.prelu(x, v[:1]); F.glu(x); F.hardshrink(x); F.softshrink(x); F.mish(x)
F.hardsigmoid(x); F.hardswish(x); F.hardtanh(x); F.threshold(x, 0.1, 0.2); nn.GLU()(x); nn.Mish()(x); nn.SELU()(x)
F.group_norm(i, 2); nn.GroupNorm(2, 4)(i); F.instance_norm(i); F.max_pool3d(i, 2); F.avg_pool3d(i, 2); F.unfold(i, 2)
F.adaptive_avg_pool2d(i, 3); F.adaptive_avg_pool2d(i, 1); F.adaptive_avg_pool3d(i, 2); F.adaptive_max_pool1d(b, 3)
F.adaptive_max_pool2d(i, 3); F.adaptive_max_pool3d(i, 2); F.adaptive_max_pool2d(i, 3, return_indices=True)[0]
F.max_unpool2d(*F.max_pool2d(i, 2, return_indices=True), 2); F.fold(F.unfold(i, 2), (8, 8), 2); b.unfold(1, 2, 1)
F.interpolate(i, scale_factor=2); F.interpolate(i, size=3, mode="area"); F.interpolate(b, scale_factor=2, mode="area")
F.interpolate(i, scale_factor=2, mode="bilinear"); F.interpolate(i, scale_factor=2, mode="bicubic")
F.interpolate(b, scale_factor=2, mode="linear"); F.interpolate(i[None], scale_factor=2, mode="trilinear")
F.interpolate(i, scale_factor=2, mode="nearest-exact"); F.interpolate(b, scale_factor=2); F.pixel_shuffle(i, 2)
F.pixel_unshuffle(i, 2); F.channel_shuffle(i, 2); F.grid_sample(i, m.zeros(2, 3, 3, 2), align_corners=False)
F.pairwise_distance(x, x * 2)
F.affine_grid(b[:, :2, :3], (2, 1, 2, 2), align_corners=False); F.pdist(x); F.soft_margin_loss(x, x.detach())
F.multi_margin_loss(x, c)
F.multilabel_margin_loss(x, c[:, None].expand(3, 4)); nn.MultiMarginLoss()(x, c); nn.Upsample(scale_factor=2)(i)
F.scaled_dot_product_attention(b, b, b); F.scaled_dot_product_attention(i, i, i, is_causal=True)
m.rot90(x); m.div(x, x, rounding_mode="floor"); x.div(x, rounding_mode="trunc"); m.pinverse(x)
m.cov(x); x.quantile(0.5)
m.linalg.solve_triangular(x[:, :3].tril(), x, upper=False); m.matrix_exp(x[:, :3]); m.kron(x, x); m.inner(x, x)
m.tensordot(x, x.t(), dims=1); x.repeat_interleave(2); m.mvlgamma(x + 2, 2)
x.squeeze(dim=0); F.cross_entropy(input=x, target=c); nn.Linear(4, 2)(x); nn.Flatten()(b); nn.Embedding(3, 4)(c)
F.embedding(c, x, padding_idx=0); F.embedding(c, x, scale_grad_by_freq=True); nn.EmbeddingBag(3, 4)(c, c[:1])
F.embedding_bag(c[None], x, mode="sum"); F.embedding_bag(c[None], x, mode="max")
nn.RNNCell(4, 2)(x); nn.RNNCell(4, 2, nonlinearity="relu")(x); nn.GRUCell(4, 2)(x); nn.LSTMCell(4, 2)(x)[0]
nn.RNN(4, 2)(b)[0]; nn.RNN(4, 2)(b)[1]; nn.GRU(4, 2, 2)(b)[0]; nn.GRU(4, 2, bidirectional=True)(b)[0]
nn.GRU(4, 2)(x)[0]
nn.RNN(4, 2, batch_first=True)(b)[0]; nn.LSTM(4, 2, batch_first=True)(b)[0]; nn.LSTM(4, 2, bidirectional=True)(b)[0]
nn.LSTM(4, 2)(b)[0]; nn.LSTM(4, 2)(b)[1][1]; nn.LSTM(4, 2)(x)[0]; nn.LSTM(4, 2)(x)[1][0]
nn.GRU(4, 2)(nn.utils.rnn.pack_sequence([x, x[:2]]))[0].data
m.linalg.matrix_norm(x); m.linalg.matrix_norm(x, "nuc"); m.linalg.matrix_norm(x, 1); m.linalg.matrix_norm(x, -2)
m.linalg.matrix_norm(x, 2, keepdim=True); m.linalg.norm(x, 2); m.linalg.cond(x); m.linalg.cond(x[:, :3], 1)
"""


@pytest.fixture(scope="module")
def worlds():
    def world(m):
        sizes = {"x": (3, 4), "v": (4,), "b": (2, 3, 4), "i": (2, 4, 8, 8), "s": (), "w": (5, 4), "z": (5,)}
        names = {name: m.rand(size).requires_grad_() for name, size in sizes.items()}
        return names | {"c": m.tensor([0, 1, 2]), "m": m, "nn": m.nn, "F": m.nn.functional}

    return world(mg), world(torch)


@pytest.mark.parametrize("text", [t.strip() for t in TEXTS.replace("\n", ";").split(";") if t.strip()])
def test_a_node_has_the_name_it_has_in_pytorch(worlds, text):
    ours, theirs = (eval(text, world).grad_fn for world in worlds)
    assert ours.name() == theirs.name() == type(theirs).__name__
    assert repr(ours).rpartition(" at ")[0] == repr(theirs).rpartition(" at ")[0]
    assert f"grad_fn=<{ours.name()}>" in repr(eval(text, worlds[0]))


@pytest.mark.parametrize("name", ["add_", "mul_", "sub_", "relu_", "sigmoid_", "clamp_"])
def test_written_in_place_a_tensor_is_named_by_the_last_write(worlds, name):
    def written(world):
        y = world["x"] * 2
        getattr(y, name)(*((1,) if name[:3] in ("add", "mul", "sub") else (0, 1) if name == "clamp_" else ()))
        return y.grad_fn.name()

    assert written(worlds[0]) == written(worlds[1])


def test_each_output_of_a_cell_prints_its_own_name(worlds):
    for world in worlds:
        h, c = world["nn"].LSTMCell(4, 2)(world["x"])
        assert "grad_fn=<MulBackward0>" in repr(h)
        assert "grad_fn=<AddBackward0>" in repr(c)


def test_a_write_to_a_part_is_a_copy_of_slices(worlds):
    for world in worlds:
        y = world["x"] * 2
        y[0] = 1.0
        assert "grad_fn=<CopySlices>" in repr(y)


def test_a_function_of_the_programs_own_is_named_after_its_class(worlds):
    def name(m):
        class Doubled(m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, g):
                return g * 2

        return repr(Doubled.apply(m.ones(1, requires_grad=True)))

    assert name(mg) == name(torch) == "tensor([2.], grad_fn=<DoubledBackward>)"


def walked(node):
    """Return the names of the graph as a nested list, down to the leaves."""
    return None if node is None else [node.name(), *(walked(n) for n, _ in node.next_functions)]


def test_the_graph_can_be_walked_down_to_its_leaves(worlds):
    for text in ("(x * 2 + x.exp()).sum()", "(x * x.detach()).mean()", "F.relu(x).max(1)[0].log()"):
        ours, theirs = (walked(eval(text, world).grad_fn) for world in worlds)
        assert ours == theirs
    y = worlds[0]["x"].exp()
    leaf, place = y.grad_fn.next_functions[0]
    assert leaf.variable is worlds[0]["x"]
    assert place == 0
    assert repr(leaf).startswith("<AccumulateGrad object at 0x")
    assert leaf.next_functions == ()
    assert (worlds[0]["x"] * 2).grad_fn.next_functions[0][0] is leaf
