# Sourced by the words of bin/: where things are, and the small steps that they share.
# shellcheck shell=bash
set -euo pipefail
say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
hash_of() { cat "$@" 2>/dev/null | sha256sum | cut -c1-16; }

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
export CITYSAFETY_VAR="${CITYSAFETY_VAR:-$ROOT/var}"
mkdir -p "$CITYSAFETY_VAR/log" 2>/dev/null && [ -w "$CITYSAFETY_VAR" ] ||
    fail "$(id -un) may not write to $CITYSAFETY_VAR. Choose another folder: CITYSAFETY_VAR=~/citysafety $0"
CITYSAFETY_VAR="$(cd "$CITYSAFETY_VAR" && pwd -P)"
LOG="$CITYSAFETY_VAR/log/setup.log"
VENV="$ROOT/.venv"
export DJANGO_SETTINGS_MODULE=citysafety.settings PYTHONUNBUFFERED=1
PG_BIN="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)"

# DATABASE_URL and REDIS_URL, when given, replace the private servers. CITYSAFETY_PRIVATE tells what load_env set itself.
private() { [ -z "${!1:-}" ] || [[ " ${CITYSAFETY_PRIVATE:-} " == *" $1 "* ]]; }

load_env() { # what the environment says wins over var/env, but for the addresses of the private servers
    local line name own=""
    for name in DATABASE_URL REDIS_URL; do private "$name" && own+=" $name"; done
    while IFS= read -r line; do
        name="${line%%=*}"
        [[ "$name" =~ ^[A-Z][A-Z0-9_]*$ ]] || continue
        [ -n "${!name+set}" ] && [[ "$own " != *" $name "* ]] || export "$name=${line#*=}"
    done < <(cat "$CITYSAFETY_VAR/env" 2>/dev/null)
    export CITYSAFETY_PRIVATE="${own# }"
}

# The private servers run while anyone uses them: a word holds fd 7 shared, the last one out stops them.
use_services() {
    exec 7>"$CITYSAFETY_VAR/.use.lock"
    flock -s 7
    "$ROOT/bin/services" up
}
leave_services() { if flock -n -x 7; then "$ROOT/bin/services" down; fi; exec 7>&-; }
