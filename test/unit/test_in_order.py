# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Threads work ahead, results come in order."""
from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from fanet_ros.datasets import DatasetError
from fanet_ros.in_order import in_order


def test_results_keep_the_order_of_their_items_whichever_is_ready_first() -> None:
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(20)      # the first waits for the second
        if item == 1:
            second_is_done.set()
        return 10 * item
    assert list(in_order(work, range(9), 2)) == [10 * item for item in range(9)]


def test_items_are_read_only_a_little_ahead() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            read.append(item)
            yield item
    results = in_order(str, items(), 3)
    assert [next(results), next(results)] == ['0', '1'] and len(read) == 8
    results.close()
    assert len(read) == 8


def test_endless_items_keep_the_order_and_propagate_errors() -> None:
    def load(number: int) -> int:
        if number == 9:
            raise DatasetError('nine')
        return number
    with closing(in_order(load, itertools.count(3), threads=3)) as ahead:
        assert [next(ahead) for _ in range(6)] == [3, 4, 5, 6, 7, 8]
        with pytest.raises(DatasetError, match='nine'):
            next(ahead)


def test_an_error_comes_in_place_of_its_result() -> None:
    results = in_order(lambda item: 1 // item, [2, 1, 0, 3], 1)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError, match='division'):
        next(results)
