"""The device gateway: sockets of many devices in, rows in PostgreSQL, answers out after the commit.

``lots``: what is stored at once · ``talks``: a conversation with devices of a protocol, one module each (`jt808`, `jt809`,
`hj212`, `gb26875`, `ais`) · ``lines``: connections and their limits · ``storing``: the one thread that speaks with the
database · ``server``: a process · ``again``: messages that could not be taken, taken again.

The loop decodes and never waits for the database; the thread stores lot after lot. A device is answered after the
transaction that holds what it sent: what was answered is kept, whatever happens to the process.
"""
