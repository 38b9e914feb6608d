"""`python launcher COMMAND …`, which is what the files of bin/ call."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from launcher.main import main

    sys.exit(main(sys.argv[1:]))
