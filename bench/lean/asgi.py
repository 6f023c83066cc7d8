"""The door of the lean service: the same lasting threads as ours, so that neither opens a connection a request."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.lean.settings"

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

application = WSGIMiddleware(get_wsgi_application(), workers=12)
