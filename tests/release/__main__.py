"""`python -m tests.release dist | sbom | snapshot`: see docs/contributing.md."""

from __future__ import annotations

import sys

from tests.release import dist, sbom, snapshot


def main() -> int:
    match sys.argv[1:]:
        case ["dist"]:
            return dist.main()
        case ["sbom"]:
            sbom.SBOM.write_text(sbom.make())
            return 0
        case ["snapshot"]:
            return snapshot.main()
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
