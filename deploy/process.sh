#!/bin/sh
# Become a process of ours: deploy/process.sh NAME, a line of the Procfile; or "migrate"; or
# "heard NAME", which says whether that line's process on this host is alive.
# Addresses and keys are read from the file that compose.yaml mounts, if there is one.
secrets=${ZEROHOUR_SECRETS:-/run/secrets/environment}
if [ -r "$secrets" ]; then
    set -a
    . "$secrets"
    set +a
fi
case $1 in
migrate) exec python manage.py migrate --no-input ;;
heard) exec python -m deploy.heard "$2" ;;
esac
line=$(sed -n "s/^$1: *//p" Procfile)
if [ -z "$line" ]; then
    echo "$1: expected a name of the Procfile." >&2
    exit 2
fi
eval "exec env $line"
