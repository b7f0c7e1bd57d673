"""Hosts: frozen encoder-decoders behind one small interface."""

from __future__ import annotations

from rlattn.hosts.lanes import LaneDecoder, LaneSources
from rlattn.hosts.loading import load_host
from rlattn.hosts.seq2seq import Encoded, Seq2SeqHost

__all__ = ["Encoded", "LaneDecoder", "LaneSources", "Seq2SeqHost", "load_host"]
