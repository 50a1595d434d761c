"""The command line: a name, and the candidates."""

import sys

from nearnames import nearest


def main(arguments=None):
    """Print the nearest candidates; exit code 1 if none is near."""
    name, *candidates = sys.argv[1:] if arguments is None else arguments
    found = nearest(name, candidates)
    print(*found, sep="\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
