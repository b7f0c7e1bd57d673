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
