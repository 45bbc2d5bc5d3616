"""The limit on BLAS's threads: nested and overlapping scopes, and nothing left changed."""

import threading

import pytest

import minigrad as mg
from minigrad.kernels.threads import _OneThread

threadpoolctl = pytest.importorskip("threadpoolctl")


def limits():
    return [lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "blas"]


def for_all(blas, count):
    setting = threading.Thread(target=blas.limit, kwargs={"limits": count})
    setting.start()
    setting.join()


@pytest.fixture
def two_threads():
    """Two threads for BLAS, set by a thread that ends: while the one that set them lives, no other may."""
    blas = threadpoolctl.ThreadpoolController().select(user_api="blas")
    before = limits()[0]
    for_all(blas, 2)
    assert set(limits()) == {2}
    yield limits()
    for_all(blas, before)


def test_a_thread_that_enters_meanwhile_changes_nothing(two_threads):
    one_thread = _OneThread()  # a new one knows the libraries that are loaded now, as `limits` does
    first_is_in, first_may_go = threading.Event(), threading.Event()

    def hold():
        with one_thread:
            first_is_in.set()
            first_may_go.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    first_is_in.wait(10)
    with one_thread, one_thread:
        assert set(limits()) == {1}
        first_may_go.set()
        other.join(10)
    assert limits() == two_threads
    with one_thread:
        with one_thread:
            pass
        assert set(limits()) == {1}
    assert limits() == two_threads


def test_a_convolution_leaves_the_limit_as_it_was(two_threads):
    w = mg.ones(4, 3, 3, 3, requires_grad=True)
    mg.nn.functional.conv2d(mg.ones(2, 3, 8, 8), w).sum().backward()
    with pytest.raises(RuntimeError, match="conv2d"):
        mg.nn.functional.conv2d(mg.ones(2, 3, 2, 2), w)
    assert limits() == two_threads
