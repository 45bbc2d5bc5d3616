"""Expressions that mean the same here and in PyTorch, by subject; test_tensor_api.py evaluates them."""

ORDER = """
x.sort() | x.sort(0) | x.sort(dim=-1, descending=True) | t.sort(x, 0, True) | t.sort(n, stable=True, dim=1)
z.sort() | x.sort(axis=0).values | x.argsort() | t.argsort(x, dim=0, descending=True) | t.msort(x)
b.sort(stable=True) | x.topk(2) | t.topk(x, k=2, dim=0) | x.topk(1, -1, False) | t.topk(input=x, k=3, largest=False)
z.topk(1) | x.topk(0) | x.median() | x.median(0) | x.median(dim=1, keepdim=True) | n.median() | t.nanmedian(q)
t.median(q) | q.nanmedian(0) | x.kthvalue(2) | x.kthvalue(2, 0, True) | n.mode(keepdim=True) | t.mode(x)
z.median() | z.mode() | x.quantile(0.5) | t.quantile(x, t.tensor([0.1, 0.9], dtype=x.dtype), dim=1, keepdim=True)
t.nanquantile(q, 0.5) | x.cummax(0) | t.cummin(x, dim=-1) | x.cumprod(1) | n.cumprod(0) | t.logcumsumexp(x, 1)
x.cumsum(0, dtype=t.float64) | n.unique() | t.unique(n, return_counts=True)
n.unique(return_inverse=True, return_counts=True) | t.unique(n, dim=1) | t.unique_consecutive(n)
n.unique_consecutive(return_counts=True, dim=1) | x.unique() | b.nonzero() | t.nonzero(b, as_tuple=True)
t.where(b) | z.nonzero() | t.argwhere(b) | t.nonzero(z, as_tuple=True) | n.flatten().bincount()
t.bincount(k, minlength=5) | t.bincount(k, weights=v[:2]) | x.histc(4, -1, 1) | t.histc(x) | t.histogram(x, 5)
t.histogram(x, bins=3, range=(-1., 1.)) | t.histogram(x, bins=3, range=(-1., 1.), density=True)
t.histogram(x, t.tensor([-2., -1., 0.5])) | t.histogram(x, 4, range=(-1., 1.), weight=y)
t.bucketize(x, t.tensor([-1., 0., 1.])) | t.searchsorted(t.tensor([1, 2, 3]), n)
t.bucketize(x, v.sort()[0], right=True) | t.searchsorted(t.tensor([1, 2, 3]), n, right=True)
t.searchsorted(t.tensor([1, 2]), n, side="right", out_int32=True) | t.isin(n, t.tensor([1, 2])) | t.isin(n, 2)
t.isin(n, k, invert=True)
"""
REDUCE = """
x.sum() | x.sum(0) | x.sum(dim=(0, 1)) | x.sum([0, 1], True) | x.sum(axis=0, keepdims=True)
x.sum(-1, dtype=t.float64) | n.sum() | b.sum() | b.sum(0) | x.mean(dim=-1, keepdim=True) | n.mean(dtype=t.float32)
x.mean((0, 1)) | o.sum(0) | o.sum() | x.prod() | x.prod(1, keepdim=True) | n.prod() | t.prod(x, dim=-1)
t.prod(x, 0, dtype=t.float64) | o.prod() | x.std() | x.std(0) | x.std(0, False) | x.std(unbiased=False)
x.var(False) | x.var(dim=1, correction=0, keepdim=True) | t.var(x, 0, True) | t.std(x, dim=(0, 1)) | t.std_mean(x)
t.var_mean(x, dim=0) | t.std_mean(x, 1, keepdim=True) | t.var_mean(x, dim=0, unbiased=False) | x.max() | x.max(0)
x.max(dim=1, keepdim=True) | t.max(x, y) | x.max(other=y) | x.min(axis=1) | t.min(x, 0) | t.max(x, dim=-1)[0]
x.amax() | x.amax((0, 1)) | x.amin(1, keepdim=True) | t.aminmax(x) | x.aminmax(dim=0) | x.argmax() | x.argmax(1)
x.argmax(dim=0, keepdim=True) | x.argmin(axis=1) | t.argmax(input=x, dim=1) | b.any() | b.any(0)
b.all(dim=1, keepdim=True) | b.all() | x.any() | t.any(b, dim=-1) | o.all() | b.any(axis=0) | o.any(0) | x.norm()
x.norm(1) | x.norm(p=2, dim=1) | x.norm(2, 1, True) | t.norm(x, dim=0) | t.norm(x, float("inf")) | x.norm("fro")
x.norm("nuc") | x.norm(dtype=t.float64) | x.logsumexp(1) | t.logsumexp(x, dim=(0, 1)) | x.softmax(-1)
t.softmax(x, dim=0) | t.softmax(x, 1, dtype=t.float64) | x.log_softmax(dim=1) | t.cumsum(x, dim=1)
x.count_nonzero() | t.count_nonzero(n, dim=0) | t.nansum(q) | t.nanmean(t.tensor([1., float("nan")])) | n.max()
n.argmax(0) | z.sum(0) | z.mean(-1) | z.max(0) | z.argmax() | x.logsumexp(-1, True) | t.mean(x, 1, True)
t.sum(x, (0,)) | t.dist(x, y) | t.dist(x, y, 1) | x.sum_to_size(1, 4)
"""
SHAPE = """
c.reshape(6, -1) | c.view(-1) | c.flatten(1) | c.ravel() | c.unflatten(2, (2, 2)) | c.unflatten(-1, [2, -1]) | c.mT
c.permute(2, 0, 1) | t.permute(c, (1, 0, 2)) | c.transpose(0, 1) | c.swapaxes(0, 2) | t.swapdims(c, 0, 1)
c.movedim(0, -1) | t.moveaxis(c, (0, 1), (1, 0)) | x.t() | t.t(x) | x.T | x.H | x.mH | x.adjoint() | c.squeeze()
c[:, :1].squeeze(1) | t.squeeze(c[:1], dim=0) | c[:1].squeeze((0, 1)) | x.unsqueeze(-1) | t.unsqueeze(x, dim=1)
x.unsqueeze(-3) | v.expand(3, 4) | v.expand(3, -1) | v.expand_as(x) | v.broadcast_to(3, 4)
t.broadcast_to(v, (3, 4)) | t.broadcast_tensors(x, v) | t.broadcast_shapes((3, 1), (4,)) | x.repeat(2, 1)
v.repeat(3) | v.repeat(2, 3, 1) | x.repeat((1, 2)) | x.tile(2) | t.tile(x, (2, 1)) | z.repeat(3) | z.tile(2)
x.repeat_interleave(2) | t.repeat_interleave(x, 2, dim=0) | k.repeat_interleave(t.tensor([1, 2]))
x.repeat_interleave(2, 1) | x.roll(1) | t.roll(x, shifts=(1, -1), dims=(0, 1)) | x.roll(-1, 0) | t.rot90(x)
x.rot90(2) | t.rot90(c, 3, [1, 2]) | x.flip(0) | x.flip(0, 1) | t.flip(x, dims=(0,)) | t.fliplr(x) | x.flipud()
x.narrow(1, 1, 2) | t.narrow(x, 0, -2, 2) | x.select(0, 1) | x.select(1, -1) | t.select(c, 2, 0) | x.diagonal()
c.diagonal(1, 1, 2) | t.diagonal(c, dim1=0, dim2=2) | t.diag(v) | x.diag(1) | t.diag_embed(x) | v.diagflat()
t.diagflat(v, 1) | s.trace() | t.tril(x) | x.triu(1) | x.tril(-1) | x.split(2) | x.split([1, 3], dim=1)
t.split(x, 2, dim=-1) | x.chunk(2, 1) | t.chunk(x, 3) | x.unbind() | t.unbind(x, 1) | x.tensor_split(2)
t.tensor_split(x, (1, 3), dim=1) | t.tensor_split(v, 3) | x.hsplit(2) | x.vsplit([1]) | c.dsplit(2) | v.hsplit(2)
t.cat([x, y]) | t.cat((x, y), dim=1) | t.cat((x, y), -1) | t.cat((x, y), axis=0) | t.concat([x, y])
t.cat([n, x[:2]]) | t.stack([x, y]) | t.stack((x, y), dim=-1) | t.hstack([v, v]) | t.hstack((x, y))
t.vstack([v, v]) | t.vstack((x, v)) | t.dstack([v, v]) | t.dstack([x, y]) | t.column_stack([w, w])
t.row_stack([v, v]) | t.atleast_2d(v) | t.atleast_1d(z) | t.atleast_3d(x, v) | t.meshgrid(v, w, indexing="ij")
t.meshgrid(v, w, indexing="xy") | t.meshgrid([v, w, v], indexing="xy") | t.cartesian_prod(v, w)
t.cartesian_prod(k) | t.combinations(v) | t.combinations(k, 2, True) | t.block_diag(x, z, v) | x.reshape_as(y.T)
x.view_as(y) | x.unfold(1, 2, 1) | v.unfold(0, 3, 1) | x.diff() | t.diff(x, dim=0) | x.split_with_sizes([2, 1])
x.size() | x.size(-1) | x.shape | c.flatten(0, 1) | z.flatten() | z.view(1, 1) | z.unsqueeze(0) | o.reshape(3, 0)
o.T | t.vander(v) | t.vander(v, 3, increasing=True) | x.stride() | x.T.stride() | x.stride(0) | x.numel()
t.numel(x) | x.ndim | x.dim() | x.ndimension() | x.nelement() | len(x)
"""
PLACES = """
x.gather(1, t.tensor([[0], [1], [2]])) | t.gather(x, 0, t.tensor([[0, 1, 2, 0]])) | x.index_select(0, k)
t.index_select(x, dim=1, index=k) | x.take(k) | t.take(x, t.tensor([[0, 5], [-1, 2]]))
t.take_along_dim(x, x.argsort(1), dim=1) | t.take_along_dim(x, k) | x.masked_select(b) | t.masked_select(x, x > 0)
x.masked_fill(b, 9.) | x.masked_fill(b, t.tensor(2)) | x.masked_scatter(b, y)
x.scatter(1, t.tensor([[0], [1], [2]]), 5.) | x.scatter(0, t.tensor([[0, 1, 2, 0]]), y)
t.scatter(x, 1, t.tensor([[0]]), value=2) | x.scatter(1, t.tensor([[0], [1], [2]]), y, reduce="add")
x.scatter(1, t.tensor([[0], [1], [2]]), 2.5, reduce="multiply")
x.scatter(dim=1, index=t.tensor([[0], [1], [2]]), src=y) | x.scatter_add(1, t.tensor([[0, 0], [1, 1], [2, 2]]), y)
x.scatter_reduce(1, t.tensor([[0, 0], [1, 1], [2, 2]]), y, "amax")
t.scatter_reduce(x, 0, t.tensor([[0, 0, 0, 0]]), y, reduce="mean") | x.index_add(0, k, y[:2])
x.index_add(0, k, y[:2], alpha=2) | t.index_add(x, 1, k, y[:, :2]) | x.index_copy(0, k, y[:2])
x.index_fill(1, k, -1.) | t.index_fill(x, 0, k, 2) | x.index_put((k,), y[:2])
x.index_put((k, k), t.tensor(1.), accumulate=True) | x[k] | x[:, k] | x[b] | x[1, 2] | x[..., -1] | x[None].shape
x[k, k] | n[n > 1] | x[[0, 2]] | c[0, :, 1:3] | z[None] | x.select_scatter(v, 0, 1)
x.slice_scatter(y[:1], 0, 1, 2) | s.diagonal_scatter(w) | t.zeros(5, dtype=t.int64).scatter_(0, k, 1)
t.zeros(3, 4).scatter_(1, t.tensor([[1], [0], [3]]), 1.) | t.zeros(2).index_add_(0, t.tensor([0, 0]), t.ones(2))
x.clone().fill_diagonal_(7.) | t.zeros(5, 2).fill_diagonal_(1., wrap=True) | t.where(x > 0, x, 0.)
t.where(b, 1, 0) | t.where(b, 1., x) | x.where(b, y) | t.where(x > 0, x, -x)
"""
MATH = """
x.add(y, alpha=2) | t.add(x, 1) | t.sub(x, y, alpha=0.5) | t.rsub(x, 1) | x.mul(2)
t.div(x, y, rounding_mode="floor") | x.div(y, rounding_mode="trunc") | n.div(2, rounding_mode="trunc") | t.div(n, 2)
n.floor_divide(2) | t.remainder(x, 2) | x.fmod(0.7) | t.pow(x, 2) | t.pow(2, v) | t.square(x) | t.sqrt(y)
t.round(x) | t.round(x, decimals=1) | t.frac(x) | t.trunc(x) | t.fix(x) | t.tan(v) | t.asin(v) | t.acos(v)
t.atan(x) | t.atan2(x, y) | t.sinh(x) | t.cosh(x) | t.asinh(x) | t.acosh(y + 1) | t.atanh(v) | t.arctan2(x, y)
t.exp2(x) | t.erf(x) | t.erfc(x) | t.erfinv(v) | t.logit(v) | t.logit(v, 0.3) | t.sinc(x) | t.hypot(x, y)
t.logaddexp(x, y) | t.logaddexp2(x, y) | t.xlogy(x, y) | t.heaviside(x, t.tensor(0.5)) | t.nan_to_num(q)
q.nan_to_num(0., 9., -9.) | t.isclose(x, y) | t.isclose(q, q, equal_nan=True) | t.isnan(q) | t.isinf(q)
t.isposinf(q) | t.isneginf(q) | t.isfinite(q) | t.isreal(q) | t.sgn(x) | t.signbit(x) | t.copysign(x, -y)
t.fmax(x, y) | t.fmin(q, q) | t.maximum(x, y) | t.minimum(n, n) | t.clamp(x, min=0) | x.clamp(-1, 1)
x.clamp(max=0.5) | x.clamp_min(0.) | t.clamp_max(x, 0.) | x.clip(0, 1) | x.clamp(y - 1, y) | n.clamp(1, 2)
n.clamp(min=1.5) | t.logical_and(x, b) | t.logical_or(n, n) | t.logical_xor(b, b) | t.logical_not(x) | n & 1
n.__or__(2) | n ^ 3 | ~b | ~n | t.bitwise_and(n, 2) | t.bitwise_or(n, 1) | t.bitwise_xor(n, 3) | t.bitwise_not(n)
n << 1 | n >> 1 | t.bitwise_left_shift(n, 2) | t.gcd(n, t.tensor(2)) | t.lcm(n + 1, t.tensor(4)) | t.deg2rad(x)
t.rad2deg(n) | t.float_power(n, 0.5) | t.ldexp(x, t.tensor(2)) | t.addcmul(x, y, y, value=2) | t.addcdiv(x, x, y)
x.addcmul(y, y) | t.lerp(x, y, 0.3) | x.lerp(y, t.tensor(0.3)) | t.reciprocal(y) | t.sin(n) | t.exp(n)
t.sigmoid(k) | t.abs(n) | t.absolute(x) | t.negative(x) | t.positive(x) | t.floor(x) | t.ceil(x) | t.floor(n)
x.eq(y) | x.ne(0) | t.gt(x, 0) | t.less(x, y) | t.greater_equal(x, y) | t.not_equal(n, 1) | t.eq(n, n)
t.equal(x, x) | t.allclose(x, x) | x.exp().log1p() | t.expm1(x) | t.log(y) | t.log2(y) | t.log10(y) | t.rsqrt(y)
t.lgamma(y) | t.digamma(y) | t.polygamma(1, y) | t.mvlgamma(y + 1, 2) | n / 2 | n // 2 | n % 2 | 2 ** n | -n
n * 1.5 | 1 - x | 2 / y | x // 1 | x % 1 | x ** 2 | n == 1 | x > y | abs(x) | +x | -x % 2
"""
MATRIX = """
x @ y.T | x.matmul(v) | t.mm(x, y.T) | t.mv(x, v) | t.dot(v, v) | t.bmm(c, c.transpose(1, 2)) | t.vdot(v, v)
t.inner(x, y) | t.outer(v, w) | v.outer(w) | t.ger(v, w) | t.kron(x, s) | t.cross(s, s + 1, dim=1)
t.cross(s, s + 1, dim=-1) | t.chain_matmul(x, y.T) | t.addmm(t.ones(3, 3), x, y.T, beta=0.5, alpha=2)
t.addmv(w, x, v) | t.addr(x, w, v) | t.baddbmm(c @ c.mT, c, c.mT) | t.addbmm(s[:2, :2] * 0, c[:, :2], c[:, :2].mT)
t.einsum("ij,kj->ik", x, y) | t.einsum("ij,kj->ik", [x, y]) | t.einsum("...ij->...ji", c) | t.einsum("ii", s)
t.tensordot(c, x, dims=([1, 2], [0, 1])) | t.tensordot(x, y.T, dims=1) | t.cdist(x, y) | t.cdist(x, y, p=1)
t.trapezoid(x) | t.trapz(x, dx=0.5) | t.cov(x) | t.corrcoef(x) | t.spmm(x, y.T) | t.det(s) | t.slogdet(s)
t.logdet(s) | t.inverse(s) | t.pinverse(x) | t.matrix_power(s, 3) | t.matrix_exp(s) | t.linalg.cholesky(s)
s.cholesky() | t.cholesky_inverse(t.linalg.cholesky(s)) | t.cholesky_solve(s, t.linalg.cholesky(s))
t.linalg.qr(x.T) | t.linalg.svd(x, full_matrices=False)[1] | t.linalg.norm(x) | t.linalg.norm(x, dim=1)
t.linalg.norm(x, "nuc") | t.linalg.norm(x, 1) | t.linalg.norm(v, 3) | t.linalg.norm(c, dim=(1, 2))
t.linalg.norm(c) | t.linalg.vector_norm(x) | t.linalg.vector_norm(x, 1, dim=0, keepdim=True)
t.linalg.matrix_norm(c) | t.linalg.inv(s) | t.linalg.pinv(x) | t.linalg.det(s) | t.linalg.solve(s, x)
t.linalg.solve(s, w) | t.linalg.eigvalsh(s) | t.linalg.eigh(s)[0] | t.linalg.svdvals(x) | t.linalg.cond(s)
t.linalg.matrix_rank(x) | t.linalg.multi_dot([x, y.T, x]) | t.linalg.lstsq(x.T, v)[0] | t.linalg.vecdot(x, y)
t.linalg.cross(s, s + 1) | t.linalg.vander(v) | t.linalg.diagonal(s)
t.linalg.solve_triangular(s.tril(), x, upper=False) | t.linalg.slogdet(s) | t.linalg.matrix_power(s, -1)
t.svd(x)[1] | t.linalg.matmul(x, v)
"""
MAKING = """
t.zeros(2, 3) | t.zeros((2, 3), dtype=t.int32) | t.zeros(size=(2,)) | t.ones(2, device="cpu")
t.ones(t.Size([2, 2])) | t.full((2,), 3) | t.full((2,), 3.) | t.full((2, 2), True) | t.zeros_like(n)
t.ones_like(n, dtype=t.float32) | t.full_like(x, 2) | t.empty(0, 3) | t.empty_like(x).shape | t.eye(2, 3)
t.arange(5) | t.arange(1, 6, 2) | t.arange(0., 1., 0.25) | t.arange(5, dtype=t.float32) | t.arange(start=1, end=4)
t.arange(5, 0, -1) | t.arange(0) | t.range(1, 4) | t.linspace(0, 1, 5) | t.linspace(0, 1, steps=3, dtype=t.float64)
t.logspace(0, 2, 3) | t.logspace(0, 3, 4, base=2) | t.tril_indices(3, 3) | t.triu_indices(3, 4, 1) | t.tensor(3)
t.tensor([1.5]) | t.tensor([[1, 2]], dtype=t.float64) | t.tensor([True]) | t.tensor([])
t.tensor([t.tensor(1.), t.tensor(2.)]) | t.tensor(np.float64(2)) | t.tensor([np.float32(1)]) | t.as_tensor([1, 2])
t.asarray([1., 2.]) | t.scalar_tensor(2) | t.as_tensor(x, dtype=t.float64) | t.Tensor([1, 2]) | t.Tensor(2, 3).shape
t.Tensor(t.Size([2])).shape | t.Tensor().shape | t.Tensor([[1, 2], [3, 4]]) | t.FloatTensor([1, 2])
t.LongTensor([1, 2]) | t.IntTensor([1]) | t.DoubleTensor([1]) | t.ByteTensor([1]) | t.BoolTensor([1, 0])
t.LongTensor(2, 3).shape | x.new_zeros(2, 3) | n.new_ones((2,)) | n.new_full((2,), 7) | x.new_tensor([1, 2])
x.new_empty(2).dtype | n.new_zeros(2, dtype=t.float32) | x.new(2, 3).shape | x.new([1, 2])
t.sparse_coo_tensor(t.tensor([[0, 1], [1, 0]]), t.tensor([3., 4.]), (2, 3)).to_dense()
t.sparse_coo_tensor([[0, 0]], [1., 2.]).to_dense() | t.zeros(2, out=t.ones(2)) | t.add(x, y, out=t.empty(3, 4))
t.mm(x, y.T, out=t.empty(0)) | t.max(x, dim=1, out=(t.empty(3), t.empty(3, dtype=t.int64))) | t.exp(input=x)
t.sum(input=x, dim=0) | t.sum(x, axis=1, keepdims=True) | t.flatten(input=x) | t.mean(input=x, axis=0)
t.cat(tensors=[x, y], dim=0)
"""
FACTS = """
x.type() | n.type() | b.type() | x.double().type() | x.type(t.float64) | x.type("torch.LongTensor")
x.type(t.LongTensor) | x.type_as(n) | x.short() | x.byte() | x.char() | x.to(t.float64) | x.to("cpu")
x.to(t.device("cpu")) | x.to("cpu", t.float64) | x.to(device="cpu", dtype=t.int64) | x.to(n)
x.to(dtype=t.float16).dtype | x.to(x.dtype) is x | x.to(x.dtype, copy=True) is x
x.to("cpu", non_blocking=True) is x | x.float() is x | x.contiguous() is x | x.cpu() is x | x.device | x.device.type
x.device == t.device("cpu") | x.device == "cpu" | str(x.device) | repr(t.device("cuda", 1))
t.device("cuda:1").index | t.device("cuda") == t.device("cuda") | x.is_cuda | x.is_cpu | x.is_sparse
x.is_complex() | t.is_complex(x) | x.is_floating_point() | t.is_floating_point(n) | n.is_signed() | b.is_signed()
t.is_tensor(x) | t.is_tensor(1) | x.element_size() | x.itemsize | x.nbytes | x.get_device() | x.storage_offset()
x[1:].storage_offset() | x.layout | x.is_contiguous() | x.T.is_contiguous() | z.is_nonzero() | x.is_same_size(y)
x.is_leaf | x.retains_grad | x.is_shared() | x.is_pinned() | x.is_inference()
x.data_ptr() == x.view(-1).data_ptr() | t.finfo(t.float32).eps | t.finfo(t.float32).max | t.finfo(t.float64).tiny
t.finfo().bits | t.iinfo(t.int8).max | t.iinfo(t.int64).min | t.finfo(t.float16).min | t.iinfo(t.uint8).bits
repr(t.finfo(t.float32)) | repr(t.iinfo(t.int32)) | t.inf | t.pi | t.e | t.newaxis | t.isnan(t.tensor(t.nan))
t.get_default_dtype() | t.float32.is_floating_point | t.int64.is_signed | t.uint8.is_signed | t.float64.itemsize
t.int32.is_complex | t.long is t.int64 | t.double is t.float64 | t.result_type(n, 1.5) | t.result_type(x, n)
t.broadcast_shapes((2, 1), 3) | x.shape == (3, 4) | x.shape[-1] | x.shape.numel() | x.size()[0] | tuple(x.shape)
x.shape[:1] | x.shape + (1,) | isinstance(x, t.FloatTensor) | isinstance(x, t.LongTensor) | isinstance(x, t.Tensor)
x.tolist() | z.item() | float(z) | int(z) | n.numpy().dtype.name | np.asarray(x).shape | x.numpy(force=True).shape
"""
MORE = """
t.cov(x, fweights=n[0]) | t.cov(x, correction=0, aweights=v) | t.cov(x, fweights=n[0], aweights=v) | t.cov(x[:1])
t.corrcoef(x[:1]) | t.diff(x, 0) | t.diff(x, 0, append=x) | c[:, :, :0] @ x[:0] | v.gather(0, n[:, :0])
z.index_select(0, k[1:]) | z.index_fill(0, k[1:], 3.) | z.index_copy(0, k[1:], z * 2)
x.byte(memory_format=t.preserve_format) | t.repeat_interleave(k, t.tensor([1, 2]), output_size=3)
t.histogram(z, 2) | t.histogram(v[:1], 1) | t.histc(z, 2)
t.searchsorted(v, t.tensor([0.2, 0.6]), sorter=v.argsort()) | t.linalg.matrix_rank(s, atol=0.1)
t.linalg.matrix_rank(s, rtol=0.9) | t.linalg.matrix_rank(s.triu(), hermitian=True)
t.linalg.pinv(s.tril(), hermitian=True) | t.linalg.lstsq(x.T, v.unsqueeze(1), driver="gels")[2]
t.linalg.lstsq(x.T, y.T)[1] | t.linalg.lstsq(x.T, y.T, driver="gels")[1] | t.tensordot(x[:1], y, dims=([0], [0]))
t.linalg.lstsq(x.T, y.T, driver="gelsd")[3] | t.linalg.lstsq(x.T, y.T)[2]
"""
SPECIAL = """
t.special.expit(x) | t.special.gammaln(y) | t.special.psi(y) | t.special.logit(v) | t.special.ndtr(x)
t.special.ndtri(v) | t.special.entr(x) | t.special.xlogy(x, y) | t.special.log_ndtr(x) | t.special.polygamma(1, y)
t.special.multigammaln(y + 1, 2) | t.unravel_index(n, (3, 4))
t.frombuffer(bytearray(b"abcd"), dtype=t.uint8, offset=1)
t.conv2d(c[None], c[:, :2, :2][None]) | t.max_pool2d(c[None], 2) | t.layer_norm(x, (4,))
t.dropout(x, 0.5, False) | t.tensor([1], dtype=t.uint16).dtype
t.where(condition=x > 0, input=x, other=y) | t.searchsorted(t.tensor([1, 2, 3]), input=n) | t.polygamma(1, input=y)
t.rand(size=(2, 3)).shape | t.randn(size=[2]).shape | t.dot(input=v, tensor=v) | v.dot(tensor=v) | x.view(size=(2, 6))
x[:, :1].squeeze(axis=1) | x.swapaxes(axis0=0, axis1=1) | t.split(tensor=x, split_size_or_sections=2, dim=1)
x.clone().uniform_(to=2.0).shape | t.nn.functional.pad(input=x, pad=(1, 1), value=2.0)
t.nn.functional.one_hot(input=k, num_classes=4) | t.split(x, 2) | t.split(x, [1, 2])
n.to(t.uint8).any(0) | n.to(t.uint8).all() | b.diff() | t.diff(b, dim=0) | t.heaviside(n, n + 1)
n.to(t.uint8).mul_(n) | n.to(t.uint8).sub_(n + 1)
"""
TABLES = (ORDER, REDUCE, SHAPE, PLACES, MATH, MATRIX, MAKING, FACTS, MORE, SPECIAL)
EXPRESSIONS = [e.strip() for table in TABLES for line in table.strip().splitlines() for e in line.split(" | ")]

# Calls of methods that write in place, on a float matrix; y is another, m a mask, k and k2 are indices.
IN_PLACE = """
add_(y) sub_(y,alpha=2) mul_(y) div_(y) pow_(2) neg_() exp_() log_() log2_() log10_() log1p_() sqrt_()
rsqrt_() reciprocal_() square_() sin_() cos_() tan_() sinh_() cosh_() tanh_() sigmoid_() relu_() abs_()
sign_() floor_() ceil_() round_() trunc_() frac_() erf_() erfc_() exp2_() expm1_() atan_() logit_() sinc_()
clamp_(0.6,1.2) clamp_min_(0.9) clamp_max_(0.9) clip_(0.6,1.2) nan_to_num_() deg2rad_() atan2_(y) hypot_(y)
fmod_(0.3) remainder_(0.3) copysign_(-y) xlogy_(y) addcmul_(y,y,value=2) addcdiv_(y,y) lerp_(y,0.3)
masked_fill_(m,2.0) masked_scatter_(m,y) tril_() triu_(1) cumsum_(0) cumprod_(1) eq_(1) lt_(1)
index_add_(0,k,y[:2]) index_copy_(0,k,y[:2]) index_fill_(1,k,3.0) index_put_((k,),y[:2])
scatter_(1,k2,y[:,:1]) scatter_(1,k2,2.0) scatter_add_(1,k2,y[:,:1]) scatter_reduce_(1,k2,y[:,:1],"amax")
zero_() fill_(2) copy_(y) subtract_(y) multiply_(y) divide_(y) true_divide_(y) unsqueeze_(0) squeeze_() t_()
transpose_(0,1) swapaxes_(0,1) addmm_(y,y) negative_() absolute_() fix_() ldexp_(y)
"""
IN_PLACE_CALLS = IN_PLACE.split()
# The same for those PyTorch has no gradient of, or none in place.
CONSTANT = ["asinh_()", "logical_not_()", "logical_and_(y)", "logical_or_(y)", "logical_xor_(y)", "floor_divide_(0.3)",
            "sgn_()", "scatter_(1,k2,2.0)", "scatter_(1,k2,y,reduce='add')",
            "eq_(y)", "ne_(y)", "lt_(y)", "ge_(0.5)"]  # fmt: skip
