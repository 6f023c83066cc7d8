"""Tell the gateways that devices, channels or rules changed: they read them anew."""

from django.db import connection

from ..known import CHANGED


def tell_gateways() -> None:
    """Ring after commit, once however often a transaction tells. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANGED])
