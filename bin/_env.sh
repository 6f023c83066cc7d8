# Sourced by the words of bin/: where things are, and the small steps that they share.
# shellcheck shell=bash
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
export CITYSAFETY_VAR="${CITYSAFETY_VAR:-$ROOT/var}"
mkdir -p "$CITYSAFETY_VAR/log"
CITYSAFETY_VAR="$(cd "$CITYSAFETY_VAR" && pwd -P)"
VENV="$ROOT/.venv"
export DJANGO_SETTINGS_MODULE=citysafety.settings PYTHONUNBUFFERED=1
PG_BIN="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)"
DEBIAN_PACKAGES=(postgresql postgresql-15-postgis-3 redis-server libgdal32 libgeos-c1v5 libproj25 fonts-noto-cjk gettext python3-venv)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
hash_of() { cat "$@" 2>/dev/null | sha256sum | cut -c1-16; }
load_env() { if [ -f "$CITYSAFETY_VAR/env" ]; then set -a; . "$CITYSAFETY_VAR/env"; set +a; fi; }
