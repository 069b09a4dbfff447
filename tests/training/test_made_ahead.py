"""Making in advance changes neither the order nor the errors."""

import threading
from contextlib import closing

import pytest

from vis_pipeline.training.tracker.ahead import made_ahead


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_everything_comes_in_its_order(ahead):
    assert list(made_ahead(lambda key: key * key, range(7), ahead)) == [key * key for key in range(7)]
    assert list(made_ahead(lambda key: key, [], ahead)) == []


@pytest.mark.parametrize("ahead", [0, 2])
def test_an_error_comes_out_in_its_place(ahead):
    made = made_ahead(lambda key: 1 // (3 - key), range(6), ahead)
    assert [next(made) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)


@pytest.mark.parametrize("ahead", [1, 2])
def test_the_next_are_made_while_one_is_in_use_and_no_more(ahead):
    made, enough = [], threading.Event()

    def make(key):
        made.append((key, threading.current_thread() is threading.main_thread()))
        if key == ahead:
            enough.set()
        return key

    with closing(made_ahead(make, range(9), ahead)) as stream:
        assert next(stream) == 0
        assert enough.wait(10)
    assert [key for key, _ in made] == list(range(ahead + 1))
    assert not any(on_main for _, on_main in made)


def test_a_stream_that_is_left_early_ends_its_thread():
    before = threading.active_count()
    with closing(made_ahead(lambda key: key, iter(int, 1), 2)) as stream:
        next(stream)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
