"""Hosts: frozen models behind one small interface; encoder-decoders here."""

from __future__ import annotations

from rlattn.hosts.base import Host
from rlattn.hosts.int8 import quantised
from rlattn.hosts.lanes import LaneDecoder
from rlattn.hosts.loading import load_host
from rlattn.hosts.seq2seq import Encoded, Seq2SeqHost
from rlattn.hosts.sources import LaneSources

__all__ = [
    "Encoded",
    "Host",
    "LaneDecoder",
    "LaneSources",
    "Seq2SeqHost",
    "load_host",
    "quantised",
]
