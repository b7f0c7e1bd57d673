"""The store gives back every row by its name until it is released."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from rlattn.envs.store import EmbeddingRows, Rows, RowStore

CPU = torch.device("cpu")


def rows(first: int, count: int) -> torch.Tensor:
    """Rows that say their own name."""
    return torch.arange(first, first + count).float()[:, None].repeat(1, 2)


def store() -> RowStore:
    return RowStore(2, torch.float32, CPU)


@pytest.mark.parametrize("seed", range(5))
def test_it_behaves_like_a_list(seed: int) -> None:
    rng, ours, released = np.random.default_rng(seed), store(), 0
    for _ in range(300):
        count = int(rng.integers(0, 200))
        assert ours.append(rows(ours.end, count)) == ours.end - count
        if rng.random() < 0.7:
            released = max(released, int(rng.integers(max(released, ours.end - 900), ours.end + 1)))
            ours.release(released)
        if ours.end > released:
            names = torch.from_numpy(rng.integers(released, ours.end, (3, 4)))
            gathered = ours.gather(names)
            assert gathered.shape == (3, 4, 2)
            assert torch.equal(gathered[..., 0], names.float())
            assert torch.equal(gathered[..., 1], names.float())


def test_room_is_used_again() -> None:
    ours = store()
    for _ in range(100):
        ours.release(ours.end)
        ours.append(rows(ours.end, 1000))
    assert len(ours._rows) == 1024
    assert torch.equal(ours.gather(torch.arange(99_000, 100_000))[:, 0], rows(99_000, 1000)[:, 0])


def test_what_is_not_released_stays_however_much_comes() -> None:
    ours = store()
    ours.append(rows(0, 600))
    ours.release(500)
    ours.append(rows(600, 5000))
    assert torch.equal(ours.gather(torch.arange(500, 5600)), rows(500, 5100))


def test_released_rows_are_refused() -> None:
    ours = store()
    ours.append(rows(0, 10))
    ours.release(4)
    ours.release(2)  # what was released stays so
    with pytest.raises(LookupError, match="`horizon`"):
        ours.gather(torch.tensor([[5, 3]]))
    assert torch.equal(ours.gather(torch.tensor([4, 9])), rows(4, 6)[[0, 5]])


def test_rows_to_come_cannot_be_released() -> None:
    ours = store()
    ours.release(1_000_000)
    first = ours.append(rows(0, 3))
    assert torch.equal(ours.gather(torch.arange(first, first + 3)), rows(0, 3))


def test_nothing_may_be_gathered() -> None:
    assert store().gather(torch.zeros(0, dtype=torch.long)).shape == (0, 2)


def test_rows_are_kept_in_the_type_of_the_store() -> None:
    half = RowStore(2, torch.float16, CPU)
    half.append(torch.full((1, 2), 1 / 3))
    assert half.gather(torch.tensor([0])).dtype == torch.float16


def test_a_store_is_found_by_number_while_it_lives() -> None:
    first, second = store(), store()
    assert first.id != second.id
    assert Rows.find(first.id) is first
    assert Rows.find(second.id) is second
    number = first.id
    del first
    gc.collect()
    with pytest.raises(LookupError, match=f"row store {number} is gone"):
        Rows.find(number)


def test_handles_name_the_store_and_the_rows() -> None:
    ours = store()
    handles = ours.handles(np.array([7, 5]))
    assert handles.dtype == np.int64
    assert handles.tolist() == [[ours.id, 7], [ours.id, 5]]


def test_embeddings_are_rows_named_by_their_tokens() -> None:
    embedding = torch.nn.Embedding(5, 3)
    rows, names = EmbeddingRows(embedding), torch.tensor([[4, 0]])
    assert Rows.find(rows.id) is rows
    assert torch.equal(rows.gather(names), embedding(names))
    assert not rows.gather(names).requires_grad
