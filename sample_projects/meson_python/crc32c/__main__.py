"""The command line: files, and their checksums."""

import sys

from crc32c import checksum_of_file


def main(arguments=None):
    """Print each file's checksum; exit code 1 if one cannot be read."""
    failed = 0
    for path in sys.argv[1:] if arguments is None else arguments:
        try:
            print(f"{checksum_of_file(path):08x} {path}")
        except OSError as error:
            print(f"crc32c: {path}: {error.strerror}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
