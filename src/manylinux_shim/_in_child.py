"""Calls the real backend's ``build_wheel`` in a process of its own.

Run as a script, with the interpreter that the frontend chose::

    python _in_child.py REQUEST

``REQUEST`` is a JSON file:

- ``backend``: object path of the real backend, ``module[:attribute[.attribute...]]``
- ``backend_path``: directories that go first on ``sys.path``
- ``sys_path``: ``sys.path`` of the parent, which replaces this process's own
- ``arguments``: the hook's positional arguments
- ``answer``: path of the JSON file to write

The working directory and the environment are inherited. The answer is
``{"result": <what the hook returned>}``; it is missing when the hook raised or
left the process. Nothing goes over stdout and stderr but what the backend
prints. Standard library only: it runs wherever the real backend runs.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback


def main(request_path: str) -> int:
    """Carry out one request; the exit code."""
    with open(request_path, encoding="utf-8") as file:
        request = json.load(file)
    sys.path[:] = request["backend_path"] + [
        entry for entry in request["sys_path"] if entry not in request["backend_path"]
    ]
    # Backends hand sys.argv on (setuptools), and this script's own is none of theirs.
    sys.argv[:] = ["build_wheel"]
    try:
        module_name, _, attributes = request["backend"].partition(":")
        backend = importlib.import_module(module_name)
        for attribute in filter(None, attributes.split(".")):
            backend = getattr(backend, attribute)
        result = backend.build_wheel(*request["arguments"])
    except Exception as error:  # whatever it is, it is the backend's, and shown as such
        sys.stdout.flush()
        trace = error.__traceback__
        traceback.print_exception(type(error), error, trace.tb_next if trace else None)
        return 1
    partial = request["answer"] + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump({"result": result}, file)
    os.replace(partial, request["answer"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
