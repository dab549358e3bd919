#!/bin/bash
# tests/chaos/run.sh SCHEDULES SEED [options of storm.py]: see there
cd "$(dirname "$0")/../.." || exit
CACHE=${SECOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/secor-c}
export PYTHONDONTWRITEBYTECODE=1 SECOR_BUILD=${SECOR_BUILD:-$PWD/build/release}
exec "$CACHE/venv/bin/python" tests/chaos/storm.py "$@"
