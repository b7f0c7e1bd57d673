"""Hosts: frozen encoder-decoders behind one small interface."""

from __future__ import annotations

from rlattn.hosts.int8 import quantised
from rlattn.hosts.lanes import LaneDecoder
from rlattn.hosts.loading import load_host
from rlattn.hosts.seq2seq import Encoded, Seq2SeqHost
from rlattn.hosts.sources import LaneSources

__all__ = ["Encoded", "LaneDecoder", "LaneSources", "Seq2SeqHost", "load_host", "quantised"]
