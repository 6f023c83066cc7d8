"""Benches: what we do per second beside peers and limits, in turns on the same machine; run by bin/bench."""
