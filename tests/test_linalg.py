"""What the table of ops does not say of linear algebra: singular matrices, and factors multiplied together again."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg

SINGULAR = {
    "rank 2": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
    "rank 1": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]],
    "zeros": [[0.0, 0.0], [0.0, 0.0]],
    "a zero": [[0.0]],
}


@pytest.mark.parametrize("label", SINGULAR)
def test_the_gradient_of_the_determinant_of_a_singular_matrix_is_its_minors(label):
    x = mg.tensor(SINGULAR[label], dtype=mg.float64, requires_grad=True)
    mg.linalg.det(x).backward()
    places = range(len(x))
    minors = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x.tolist(), i, 0), j, 1)) for j in places] for i in places
    ]
    np.testing.assert_allclose(x.grad.numpy(), minors, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3), (3, 4), (0, 2, 2), (2, 0, 3)])
def test_factors_multiply_to_the_matrix(shape):
    x = mg.tensor(np.random.default_rng(0).normal(size=shape))
    p, low, up = mg.linalg.lu(x)
    np.testing.assert_allclose((p @ low @ up).numpy(), x.numpy(), atol=1e-12)
    p, low, up = mg.lu_unpack(*mg.linalg.lu_factor(x))
    np.testing.assert_allclose((p @ low @ up).numpy(), x.numpy(), atol=1e-12)


def test_what_has_no_result_is_told_by_info_or_by_an_error():
    x = mg.tensor([[[1.0, 2.0], [2.0, 4.0]], [[2.0, 0.0], [0.0, 4.0]]])
    inverse, info = mg.linalg.inv_ex(x)
    assert info.tolist() == [2, 0]
    assert inverse[0].isnan().all()
    assert inverse[1].tolist() == [[0.5, 0.0], [0.0, 0.25]]
    low, info = mg.linalg.cholesky_ex(x - 2)
    assert info.tolist() == [1, 1]
    assert low.isnan().all()
    assert mg.linalg.solve_ex(x, mg.ones(2, 2, 1)).info.tolist() == [2, 0]
    for function in (mg.linalg.inv_ex, mg.linalg.lu_factor_ex):
        with pytest.raises(mg.linalg.LinAlgError, match="column 2"):
            function(x, check_errors=True)
