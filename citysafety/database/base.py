"""The wrapper that Django makes of a connection; the name of this module is Django's."""

import select

from django.contrib.gis.db.backends.postgis.base import DatabaseWrapper as PostGIS


class DatabaseWrapper(PostGIS):
    """PostGIS whose kept connections are looked at before each request without a word to the server.

    A server that ends a connection says so, and to one at rest it says hardly anything else, which is reason enough to make
    it anew. What dies without a word answers no question either.
    """

    def close_if_health_check_failed(self) -> None:
        if self.connection is None or not self.health_check_enabled or self.health_check_done:
            return
        if self._is_over():
            self.close()
        self.health_check_done = True

    def _is_over(self) -> bool:
        if self.connection.closed:
            return True
        line = select.poll()
        line.register(self.connection.fileno(), select.POLLIN)
        return bool(line.poll(0))
