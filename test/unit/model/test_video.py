# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spatial-temporal attention: the effect of earlier frames."""
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from fanet_ros.model import FANet
from fanet_ros.model.attention import FastAttentionModule


@pytest.fixture(autouse=True)
def no_gradients_fixture() -> Iterator[None]:
    with torch.no_grad():
        yield


def network() -> FANet:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return FANet(5, 'resnet18', 'paper').eval()


def frames(count: int, size: 'tuple[int, int]' = (64, 128)) -> 'list[torch.Tensor]':
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(1, 3, *size, generator=generator) for _ in range(count)]


def test_attention_over_two_frames_matches_the_quadratic_formula() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = FastAttentionModule(
            16, has_up=False, has_smooth=False, up_padding=0, reference_positions=1.0).eval().double()
        before, now = torch.randn(2, 1, 16, 6, 7, dtype=torch.float64)
    _, past = module(before)
    fused, _ = module(now, None, [past])

    def unit(x: torch.Tensor) -> torch.Tensor:
        return F.normalize(x.flatten(2), dim=1)
    query = unit(module.w_qs(now))
    keys = torch.cat([unit(module.w_ks(before)), unit(module.w_ks(now))], 2)                    # (1, 32, 2n)
    values = torch.cat([module.w_vs(before).flatten(2), module.w_vs(now).flatten(2)], 2)        # (1, 16, 2n)
    affinity = query.transpose(1, 2) @ keys / keys.shape[2]                                     # (1, n, 2n)
    attended = (affinity @ values.transpose(1, 2)).transpose(1, 2).view(now.shape)
    torch.testing.assert_close(fused, module.latlayer3(attended) + now, rtol=1e-12, atol=1e-12)


def test_video_without_history_matches_a_single_frame() -> None:
    net, (frame,) = network(), frames(1)
    assert torch.equal(net.forward_video(frame)[0], net(frame))


def test_identical_earlier_frames_change_nothing() -> None:
    net, frame = network().double(), frames(1)[0].double()
    logits, context = net.forward_video(frame)
    torch.testing.assert_close(net.forward_video(frame, [context, context])[0], logits, rtol=1e-9, atol=1e-9)


def test_earlier_frames_change_the_logits_but_not_the_deepest_context() -> None:
    net, (first, second) = network(), frames(2)
    past = net.forward_video(first)[1]
    alone, kept_alone = net.forward_video(second)
    logits, kept = net.forward_video(second, [past])
    assert (logits - alone).abs().max() > 1e-3
    assert torch.equal(kept.fam_32, kept_alone.fam_32)     # the deepest level gets nothing from another level


def test_context_is_small_and_independent_of_resolution() -> None:
    net = network()
    context = net.forward_video(frames(1, (96, 160))[0])[1]
    assert sum(matrix.numel() for matrix in context) == 30_720
    assert net.forward_video(frames(1)[0], [context])[0].shape == (1, 5, 8, 16)
