"""The limit on BLAS's threads: nested and overlapping scopes, and nothing left changed."""

import threading

import pytest

import minigrad as mg
from minigrad.kernels.threads import one_thread

threadpoolctl = pytest.importorskip("threadpoolctl")


def limits():
    return [lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "blas"]


@pytest.fixture
def two_threads():
    limit = threadpoolctl.threadpool_limits(2, user_api="blas")  # as a call: a `with` would claim them for one thread
    yield limits()
    limit.restore_original_limits()


def test_overlapping_scopes_restore_the_limit_when_the_last_one_ends(two_threads):
    first_is_in, first_may_go = threading.Event(), threading.Event()

    def hold():
        with one_thread:
            first_is_in.set()
            first_may_go.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    first_is_in.wait(10)
    with one_thread, one_thread:
        first_may_go.set()
        other.join(10)
        assert set(limits()) == {1}
    assert limits() == two_threads


def test_a_convolution_leaves_the_limit_as_it_was(two_threads):
    w = mg.ones(4, 3, 3, 3, requires_grad=True)
    mg.nn.functional.conv2d(mg.ones(2, 3, 8, 8), w).sum().backward()
    with pytest.raises(RuntimeError, match="conv2d"):
        mg.nn.functional.conv2d(mg.ones(2, 3, 2, 2), w)
    assert limits() == two_threads
