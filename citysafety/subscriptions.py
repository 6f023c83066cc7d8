"""Who hears what. The one page to read when you ask "and then what happens?".

Projections see each batch of facts as a whole; listeners hear one fact each. Both write rows in the relay's
transaction and send nothing: mail, messages and screens come after commit.
"""

from citysafety.outbox.relay import Listener, Projection
from citysafety.tallies.services import fold

PROJECTIONS: list[Projection] = [fold]

LISTENERS: dict[str, list[Listener]] = {}
