"""What devices say, read and written: pure functions, bytes in and values out; no Django, no clock, no socket.

Each protocol is a module with the same few names:

- ``Splitter``: cuts a stream into frames (`monitoring.intake.wire.Splitter`); its memory is bounded;
- ``decode(frame)``: a message of the protocol, or `Malformed`;
- ``tell(message)``: the message as plain values, as `bin/manage decode` prints it;
- ``encode_…``: frames as devices send them, and the answers that they wait for.
"""
