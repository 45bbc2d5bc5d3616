"""Threads over the batch, and the limit on BLAS's: nested and overlapping scopes, and nothing left changed."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.kernels import norm
from minigrad.kernels.threads import _OneThread, divided

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


def test_a_norm_of_many_numbers_has_blas_at_one_thread(two_threads, monkeypatch):
    seen, moments = [], norm._moments
    monkeypatch.setattr(norm, "_moments", lambda *given: seen.append(limits()) or moments(*given))
    for size in (300, 10):
        x = mg.ones(2, 3, size, size, requires_grad=True)
        mg.nn.functional.batch_norm(x, None, None, training=True).sum().backward()
        assert limits() == two_threads
    assert seen == [[1] * len(two_threads), two_threads]


# --- threads over the batch ---


@pytest.fixture
def threads_as_before():
    before, limited = mg.get_num_threads(), limits()
    yield
    mg.set_num_threads(before)
    for lib, count in zip(
        threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers, limited, strict=True
    ):
        lib.set_num_threads(count)


def convolved(images=7):
    """Return output and gradients of a convolution whose work is worth three threads."""
    rng = np.random.default_rng(0)
    x, w, b = (
        mg.tensor(rng.standard_normal(shape), requires_grad=True)
        for shape in ((images, 16, 28, 28), (24, 16, 3, 3), (24,))
    )
    y = mg.nn.functional.conv2d(x, w, b, stride=2, padding=1)
    y.backward(mg.tensor(rng.standard_normal(y.shape)))
    return [t.detach().numpy() for t in (y, x.grad, w.grad, b.grad)]


def test_the_parts_make_up_the_whole_in_order(threads_as_before):
    for count in (1, 2, 3, 5):
        mg.set_num_threads(count)
        assert mg.get_num_threads() == count
        for size in (0, 1, 2, 3, 4, 7, 64):
            parts = divided(lambda part: (part, threading.get_ident()), size, work=10**9)
            assert [i for part, _ in parts for i in range(part.start, part.stop)] == list(range(size))
            assert len(parts) == max(1, min(count, size))
            assert parts[0][1] == threading.get_ident()
    assert len(divided(lambda part: part, 64, work=1000)) == 1


def test_results_depend_on_the_number_of_threads_by_rounding_only_and_not_on_the_run(threads_as_before):
    results = {}
    for count in (1, 2, 3):
        mg.set_num_threads(count)
        results[count], again = convolved(), convolved()
        for a, b in zip(results[count], again, strict=True):
            assert a.tobytes() == b.tobytes()
    for count in (2, 3):
        for a, b in zip(results[1], results[count], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(a).max())


def test_an_error_in_any_part_is_raised_and_the_limit_restored(threads_as_before):
    mg.set_num_threads(3)
    before = limits()

    def fail(part):
        if part.start <= 40 < part.stop:
            raise ValueError(f"at {part.start}")

    with pytest.raises(ValueError, match="at"):
        divided(fail, 64, work=10**9)
    assert limits() == before


def test_threads_of_the_program_may_call_in_at_once(threads_as_before):
    mg.set_num_threads(2)
    expected, found, before = convolved(), [], limits()
    callers = [threading.Thread(target=lambda: found.append(convolved())) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert len(found) == 4
    assert limits() == before
    for result in found:
        for a, b in zip(expected, result, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("bad", [0, -1, 1.5, "2"])
def test_a_number_of_threads_is_positive(bad):
    with pytest.raises(mg.errors.ArgumentError, match="positive number of threads"):
        mg.set_num_threads(bad)


@pytest.mark.parametrize(
    ("said", "count"),
    [({"MINIGRAD_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3), ({"OMP_NUM_THREADS": "5"}, 5)],
)
def test_the_environment_says_how_many(said, count):
    kept = {k: v for k, v in os.environ.items() if k not in ("MINIGRAD_NUM_THREADS", "OMP_NUM_THREADS")}
    code = "import minigrad as mg; print(mg.get_num_threads())"
    run = subprocess.run([sys.executable, "-c", code], env=kept | said, capture_output=True, text=True, check=True)
    assert int(run.stdout) == count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_makes_threads_of_its_own():
    code = (
        "import os, sys, minigrad as mg\n"
        "mg.set_num_threads(2)\n"
        "w = mg.ones(32, 32, 3, 3)\n"
        "one = lambda: mg.nn.functional.conv2d(mg.ones(8, 32, 16, 16), w).sum().item()\n"
        "total = one()\n"
        "child = os.fork()\n"
        "if not child: os._exit(0 if one() == total else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)
