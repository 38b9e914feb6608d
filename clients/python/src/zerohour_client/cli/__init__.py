"""`zerohour`: the API from a terminal.

Exit statuses: 0 done, 1 unexpected, 2 bad input, 3 sign in first or not allowed, 4 not found, 5 the
state forbids it, 6 the server cannot be reached or is too busy, 7 a followed session ended halted
or failed, 130 interrupted.
"""

from zerohour_client.cli.main import main

__all__ = ["main"]
