"""Rows of encoded texts can be taken and put together, whatever their lengths."""

from __future__ import annotations

import torch

from rlattn.hosts.classifier import EncodedTexts
from tests.hosts.classifier.small import SOURCE, small_classifier
from tests.hosts.tiny import sentences


def test_rows_that_are_taken_and_joined_are_judged_as_before() -> None:
    host = small_classifier()
    parts = [host.encode(host.tokenize(sentences(n, seed=n), SOURCE).ids) for n in (3, 1, 4)]
    joined = EncodedTexts.joined(parts)
    assert type(joined) is type(parts[0])
    expected = torch.cat([host.classify(part) for part in parts])
    torch.testing.assert_close(host.classify(joined), expected, rtol=0.0, atol=1e-4)
    rows = torch.tensor([6, 0, 0])
    found = host.classify(joined.take(rows))
    torch.testing.assert_close(found, expected[rows], rtol=0.0, atol=1e-4)


def test_rows_that_are_put_in_the_place_of_others_are_judged_as_before() -> None:
    host = small_classifier()
    for first, second in ((3, 8), (8, 3)):  # wider, and narrower
        sources = [[[4, 5, 6, 7, 8, 9, 10, 11][:width]] * 3 for width in (first, second)]
        kept, new = (host.encode(source) for source in sources)
        expected = torch.cat([host.classify(kept)[:1], host.classify(new)[:2]])[[1, 0, 2]]
        found = host.classify(kept.put(torch.tensor([0, 2]), new.take(torch.tensor([0, 1]))))
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)
