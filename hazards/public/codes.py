"""The code that follows a case: made of the secret that the reporter's browser chose, and of one of ours (no database)."""

import hashlib
import uuid

from django.utils.crypto import salted_hmac

LETTERS = "ACDEFGHJKLMNPQRTUVWXY34679"  # none that is taken for another
LENGTH, GROUP = 16, 4  # 26^16: 75 bits
NAMESPACE = uuid.UUID("8b6d6d0a-3c2e-5b1f-9b0e-0c54a4f5d311")
SALT = "hazards.public.codes"


def hazard_id(secret: uuid.UUID) -> uuid.UUID:
    """Return the id of the hazard that a browser's secret files: who sees the id, as the city's people do, cannot tell the secret."""
    return uuid.uuid5(NAMESPACE, secret.hex)


def code_of(secret: uuid.UUID) -> str:
    """Return the code of a report; a repeat of the same request gets the same, so that nothing else needs to keep it."""
    number = int.from_bytes(salted_hmac(SALT, secret.hex, algorithm="sha256").digest(), "big")
    letters = []
    for _n in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "".join(letters)


def typed(code: str) -> str:
    """Return a code as it is kept, from how people type it."""
    return "".join(code.split()).replace("-", "").upper()[:40]


def spelled(code: str) -> str:
    """Return a code in groups, as it is shown and as it stands in addresses."""
    return "-".join(code[n : n + GROUP] for n in range(0, len(code), GROUP))


def digest(code: str) -> str:
    return hashlib.sha256(typed(code).encode()).hexdigest()
