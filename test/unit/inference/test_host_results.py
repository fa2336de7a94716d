# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results share pinned memory while few are held, and are never overwritten."""
from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from fanet_ros.inference.host_results import HostResults


def result(value: int) -> torch.Tensor:
    return torch.full((10, 10), value, dtype=torch.uint8)


def is_lent(array: np.ndarray, tensor: torch.Tensor) -> bool:
    return array.ctypes.data == tensor.data_ptr()


@pytest.mark.parametrize('limits', [(250, 64), (1000, 2)])
def test_memory_is_lent_up_to_the_limit_and_again_once_released(limits: tuple[int, int]) -> None:
    results = HostResults(*limits)
    tensors = [result(value) for value in range(3)]
    held = [results.array(tensor) for tensor in tensors]
    assert [is_lent(array, tensor) for array, tensor in zip(held, tensors)] == [True, True, False]
    assert [int(array[3, 4]) for array in held] == [0, 1, 2]
    del tensors, held[0]
    gc.collect()
    another = result(7)
    assert is_lent(results.array(another), another)


def test_view_keeps_its_memory() -> None:
    """A message, or a part of a mask, is as safe as the array."""
    results = HostResults(100)
    for keep in (lambda array: array[2:4], lambda array: array.T, memoryview, lambda array: np.frombuffer(array, np.uint8)):
        view = keep(results.array(result(1)))
        gc.collect()
        other = result(2)
        copy = results.array(other)
        assert not is_lent(copy, other) and set(np.asarray(view).ravel()) == {1}
        del view, copy, other
        gc.collect()
