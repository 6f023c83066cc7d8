"""Settings, all of them, from the environment. Thresholds are data with a source, never settings."""

from pathlib import Path
from urllib.parse import unquote

import environ
import structlog
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# -- where things are ---------------------------------------------------------------------------
VAR_DIR = Path(env.str("CITYSAFETY_VAR", default=str(BASE_DIR / "var")))
MEDIA_ROOT = Path(env.str("CITYSAFETY_MEDIA", default=str(VAR_DIR / "media")))
DEMO_DEVICES = env.float("CITYSAFETY_DEMO_DEVICES", default=1.0)  # how many times the demo's devices
CITY_FOLDER = Path(env.str("CITYSAFETY_CITY", default=str(BASE_DIR / "demo" / "dongying")))
CITY_CODE = env.str("CITYSAFETY_CITY_CODE", default="3705")
VERSION = (BASE_DIR / "VERSION").read_text(encoding="utf-8").strip()

# -- secrets and switches -----------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
EGRESS_ALLOW = env.list("EGRESS_ALLOW", default=[])
DOCUMENT_FONTS = env.list("DOCUMENT_FONTS", default=[])  # folders with further fonts for rare characters
SITE_URL = env.str("SITE_URL", default="")  # how readers of mail reach the pages, such as https://safety.city.example
NOTICE_MAIL_SERVER = env.str("NOTICE_MAIL_SERVER", default="")  # mailto://mail.city:25?from=…; without it no e-mail
NOTICE_SMS_GATEWAY = env.str("NOTICE_SMS_GATEWAY", default="")  # takes JSON {id, to, text}; without it no text messages
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", default="")  # signs pushes; bin/setup makes one into var/env

# -- what is installed --------------------------------------------------------------------------
INSTALLED_APPS = [
    "citysafety.accounts",
    "citysafety.outbox",
    "citysafety.calendars",
    "citysafety.tallies",
    "citysafety.notices",
    "citysafety.documents",
    "citysafety.evidence",
    "grid",
    "hazards",
    "monitoring",
    "projects",
    "citysafety.live",
    "citysafety.dashboard",
    "citysafety.centre",
    "citysafety.chain",
    "citysafety.field",
    "citysafety",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "channels",
    "django_celery_beat",
    "django_htmx",
    "django_node_assets",
    "django_prometheus",
    "axes",
    "csp",
    "pghistory",
    "pgtrigger",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "citysafety.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "citysafety.middleware.LanguageMiddleware",
    "citysafety.middleware.AddressMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "citysafety.accounts.kiosk.KioskMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "citysafety.urls"
ASGI_APPLICATION = "citysafety.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "citysafety.context.site",
            ],
        },
    },
]

# -- PostgreSQL and Redis -----------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgis:///citysafety")}
DATABASES["default"]["HOST"] = unquote(DATABASES["default"].get("HOST") or "")  # a socket's folder has slashes
DATABASES["default"]["ENGINE"] = "citysafety.database"  # PostGIS
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=300)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("TEST", {})["NAME"] = env.str("TEST_DATABASE", default=None)

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379")


def redis_url(number: int, *, scheme: str | None = None) -> str:
    """Return the address of one database of our Redis: 0 broker, 1 cache, 2 live."""
    if REDIS_URL.startswith("unix://"):
        path = REDIS_URL.removeprefix("unix://").split("?", 1)[0]
        return f"{scheme}://{path}?virtual_host={number}" if scheme else f"unix://{path}?db={number}"
    return f"{REDIS_URL.rstrip('/')}/{number}"


CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": redis_url(1),
        "KEY_PREFIX": DATABASES["default"]["NAME"],  # two cities may share a cache
        "TIMEOUT": 300,
        # A cache that is away makes pages slower, never wrong or absent.
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1},
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
LIVE_REDIS_URL = redis_url(2)  # pub/sub, and for seconds who is at which case; nothing that may not be lost

# -- Celery: a worker that dies gives its work back, and everything is safe to run twice ---------
CELERY_BROKER_URL = redis_url(0, scheme="redis+socket")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_VISIBILITY_TIMEOUT = env.int("CELERY_VISIBILITY_TIMEOUT", default=300)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": CELERY_VISIBILITY_TIMEOUT,  # longer than the hard time limit
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_keepalive": True,
    "global_keyprefix": env.str("CELERY_KEYPREFIX", default=""),
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING below holds for all processes
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {
    "hazards.tasks.*": {"queue": "alarm"},
    "monitoring.tasks.*": {"queue": "alarm"},
    "projects.tasks.*": {"queue": "alarm"},
    "citysafety.centre.tasks.*": {"queue": "alarm"},
    "citysafety.calendars.tasks.*": {"queue": "alarm"},
    "citysafety.notices.tasks.*": {"queue": "notice"},
    "citysafety.evidence.tasks.*": {"queue": "media"},
    "citysafety.documents.tasks.*": {"queue": "report"},
    "citysafety.outbox.tasks.*": {"queue": "alarm"},
    "hazards.tasks.evaluate": {"queue": "report"},
    "hazards.tasks.carry_on_bulk": {"queue": "report"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
PERIODIC_SILENT_MINUTES = env.int("PERIODIC_SILENT_MINUTES", default=5)  # then people are told that beat is silent
CELERY_BEAT_SCHEDULE = {
    "say that periodic work is done": {"task": "citysafety.outbox.tasks.say_periodic", "schedule": 10.0},
    "mark what is overdue": {"task": "hazards.tasks.mark_overdue", "schedule": 10.0},
    "send dispatches whose time to undo has passed": {"task": "citysafety.centre.tasks.send_due", "schedule": 2.0},
    "climb ladders": {"task": "hazards.tasks.climb_ladders", "schedule": 10.0},
    "settle what keeps alarms quiet": {"task": "monitoring.tasks.settle_alarms", "schedule": 10.0},
    "climb ladders of alarms": {"task": "monitoring.tasks.climb_alarms", "schedule": 10.0},
    "mark what listings missed": {"task": "hazards.tasks.mark_missed_listings", "schedule": 60.0},
    "deliver what waits": {"task": "citysafety.notices.tasks.sweep", "schedule": 60.0},
    "make missing pictures": {"task": "citysafety.evidence.tasks.sweep", "schedule": 60.0},
    "draft overdue notices": {"task": "projects.tasks.draft_due", "schedule": 600.0},
    "mark unanswered notices": {"task": "projects.tasks.mark_unanswered", "schedule": 60.0},
    "put back what was not signed": {"task": "citysafety.documents.tasks.put_back_unsigned", "schedule": 300.0},
    "warn of a missing calendar": {"task": "hazards.tasks.warn_of_missing_calendar", "schedule": crontab(minute=7)},
    "seek doubts": {"task": "hazards.tasks.seek_doubts", "schedule": crontab(hour=2, minute=17)},
    "announce gaps of rosters": {"task": "citysafety.calendars.tasks.announce_gaps", "schedule": 60.0},
    "plan inspections": {"task": "hazards.tasks.plan_inspections", "schedule": crontab(hour=3, minute=11)},
    "remind of re-inspections": {"task": "hazards.tasks.remind_of_reinspections", "schedule": 300.0},
    "draw re-checks": {"task": "hazards.tasks.draw_rechecks", "schedule": crontab(minute=23)},
    "mark who is posted today": {"task": "grid.tasks.mark_postings", "schedule": crontab(minute=1)},
    "bring re-zonings into force": {"task": "grid.tasks.activate_rezonings", "schedule": 30.0},
    "let steps with many cases go on": {"task": "hazards.tasks.sweep_bulk", "schedule": 60.0},
    "make days of readings": {"task": "monitoring.tasks.make_days", "schedule": crontab(minute=5)},
    "roll readings up": {"task": "monitoring.tasks.roll_up", "schedule": 60.0},
    "move cases that were filed in ended cells": {"task": "hazards.tasks.leave_ended_cells", "schedule": 60.0},
}

# -- devices: where the gateway listens, and what one connection may do ---------------------------
INTAKE_HOST = env.str("INTAKE_HOST", default="127.0.0.1")
INTAKE_PORT_OFFSET = env.int("INTAKE_PORT_OFFSET", default=0)
INTAKE_PORTS = {
    name: env.int(f"{name.upper()}_PORT", default=port) + INTAKE_PORT_OFFSET
    for name, port in {"jt808": 7808, "jt809": 7809, "gb26875": 5875, "hj212": 9212, "ais": 10110}.items()
}
INTAKE_LIMITS = {  # silent for so many seconds: hung up on; messages and bytes a second, ten seconds of them at once
    name: tuple(env.float(f"{name.upper()}_{word}", default=value) for word, value in given.items())
    for name, given in {
        "jt808": {"IDLE_S": 900, "MESSAGES_S": 200, "BYTES_S": 256_000},
        "jt809": {"IDLE_S": 300, "MESSAGES_S": 10_000, "BYTES_S": 4_000_000},
        "gb26875": {"IDLE_S": 900, "MESSAGES_S": 200, "BYTES_S": 256_000},
        "hj212": {"IDLE_S": 3900, "MESSAGES_S": 200, "BYTES_S": 256_000},
        "ais": {"IDLE_S": 900, "MESSAGES_S": 20_000, "BYTES_S": 4_000_000},
    }.items()
}
INTAKE_LINES = env.int("INTAKE_LINES", default=20_000)  # connections of one process
RAW_KEEP_DAYS = env.int("RAW_KEEP_DAYS", default=7)  # 0: of what was taken no bytes are kept
DEAD_KEEP_DAYS = 7  # at least

# -- people -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 14 * 3600  # a shift and its handover
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_IPWARE_PROXY_COUNT = env.int("PROXY_COUNT", default=0)
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# -- language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# -- files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("CITYSAFETY_STATIC", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "citysafety.staticfiles.ServedNodeFiles",
]
NODE_PACKAGE_JSON = BASE_DIR / "package.json"
NODE_MODULES_ROOT = BASE_DIR / "node_modules"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "citysafety.staticfiles.Storage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
PHOTO_MAX_BYTES = 10 * 1024 * 1024
MERGE_REACH_M = env.int("MERGE_REACH_M", default=500)  # how far apart two cases of one hazard may lie
COMPONENT_REACH_M = env.int("COMPONENT_REACH_M", default=200)  # how far from its place a case may name a component
PHOTO_MIN_SIDE = 16

# -- doors --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "citysafety.accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["citysafety.parsing.Json"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["citysafety.filtering.KnownFilters"],
    "DEFAULT_PAGINATION_CLASS": "citysafety.api.CursorPages",
    "EXCEPTION_HANDLER": "citysafety.api.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CitySafety",
    "DESCRIPTION": "City safety operations: hazards, grid, figures, live.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "ENUM_NAME_OVERRIDES": {
        "ValidationErrorEnum": "drf_standardized_errors.openapi_serializers.ValidationErrorEnum.choices"
    },
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],  # thumbnails of a draft are blobs of the page itself
        "connect-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
PERMISSIONS_POLICY = {"geolocation": "self", "camera": "self", "microphone": [], "payment": [], "usb": []}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False  # the reverse proxy redirects
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SILENCED_SYSTEM_CHECKS = [
    "gis.W001",  # Debian 12 has GDAL 3.6; load_city opens only files of the folder it is given
    "security.W008",  # the redirect to https is the proxy's
    *([] if HTTPS else ["security.W004", "security.W012", "security.W016"]),  # a demo on plain http says so itself
]

# -- logs ---------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,  # the request's id
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.ExtraAdder(),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.format_exc_info,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "apprise": {"level": "WARNING"},
        "weasyprint": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}
