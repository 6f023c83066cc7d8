"""Settings of the lean service: no accounts, no sessions, no middleware but that which counts the bytes."""

import environ

DATABASES = {"default": environ.Env().db_url("DATABASE_URL")}
DATABASES["default"] |= {"ENGINE": "django.contrib.gis.db.backends.postgis", "CONN_MAX_AGE": 300}
DATABASES["default"]["HOST"] = DATABASES["default"]["HOST"].replace("%2F", "/")
SECRET_KEY = "lean"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.gis", "rest_framework", "django_filters", "bench.lean"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "bench.lean.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
