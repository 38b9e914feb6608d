#!/bin/sh
# Finds a Python 3.11 or later and hands over to it; the launcher sets up everything else.
root=$(cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
for python in "$root/.venv/bin/python" ${PYTHON:+"$PYTHON"} \
    python3.11 python3.12 python3.13 python3 python3.14 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" "$root/launcher" "$@"
    fi
done
echo "Python 3.11 or later was not found: install it (or name it: PYTHON=/path/to/python) and start again." >&2
exit 1
