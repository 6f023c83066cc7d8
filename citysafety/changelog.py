"""Who made a change, where rows of several people are written in one statement.

The change log (pghistory) notes the person and the address of the present request beside every row that a trigger
keeps. In a group commit one thread writes for others, so each row is told whose it is.
"""

import json
from typing import Any

from pghistory import config, runtime

SAY = "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)"


def present() -> tuple[str, str]:
    """Return what is noted of the present request: its id and what is known of it; empty where there is none."""
    noted: Any = getattr(runtime._tracker, "value", None)
    return ("", "") if noted is None else (str(noted.id), json.dumps(noted.metadata, cls=config.json_encoder()))


def said(noted: tuple[str, str]) -> tuple[str, list[str]]:
    """Return the statement after which rows of this transaction are that request's."""
    return SAY, list(noted)
