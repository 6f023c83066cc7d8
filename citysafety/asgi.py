"""The door of the web process: pages and API in lasting threads, tiles in front of them, sockets in the event loop."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "citysafety.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.wsgi import get_wsgi_application

pages = get_wsgi_application()  # loads the apps, so it stands before what imports models

from citysafety.bridge import Threads  # noqa: E402
from citysafety.live.routing import websocket_urlpatterns  # noqa: E402
from grid.tile_door import TileDoor  # noqa: E402

# Django under ASGI gives each request a thread of its own and with it a database connection of its own.
# Lasting threads keep their connections (CONN_MAX_AGE): a new one a request costs three times as much.
THREADS = int(os.environ.get("WEB_THREADS", "12"))

application = ProtocolTypeRouter(
    {
        "http": TileDoor(Threads(pages, workers=THREADS)),
        "websocket": URLRouter(websocket_urlpatterns),
    }
)

# What has been loaded stays: the collector need not look through it again and again while people wait.
gc.collect()
gc.freeze()
