"""Is a process of this host there: `python -m deploy.heard NAME`, a line of the Procfile.

Status 0 when it has said so lately (common.presence), else 1 and one line. Without the broker
nobody is heard, and a container that is marked unhealthy for it is not stopped by that.
"""

from __future__ import annotations

import socket
import sys

import redis

from common import presence


def trouble(kind: str, host: str) -> str | None:
    """Why the process counts as gone; None when it was heard."""
    try:
        found = presence.processes()
    except redis.RedisError as exc:
        return f"the broker does not answer: {exc}"
    if any(each.kind == kind and each.host == host for each in found):
        return None
    return f"{kind} on {host} was not heard for {presence.GONE_AFTER_SECONDS:.0f} s"


def main() -> None:
    said = trouble(sys.argv[1], socket.gethostname())
    if said is not None:
        sys.exit(said)


if __name__ == "__main__":
    main()
