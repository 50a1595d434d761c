"""What is said to a CI engine besides the log, in the words that it reads there.

Sources: GitHub's "Workflow commands" (Forgejo's and Gitea's runners read the same), GitLab's
"Job logs", Azure Pipelines' "Logging commands".
"""

from __future__ import annotations

import os
from typing import Mapping, Tuple

SILENT_VARIABLE = "_MANYLINUX_SHIM_SILENT"
"""Set for builds whose caller says itself what became of them."""


def engine(environ: Mapping[str, str]) -> str:
    """``"github"``, ``"gitlab"`` or ``"azure"``; empty for any other, and where nobody listens."""
    if environ.get(SILENT_VARIABLE):
        return ""
    for name, variable in (
        ("github", "GITHUB_ACTIONS"),
        ("gitlab", "GITLAB_CI"),
        ("azure", "TF_BUILD"),
    ):
        if environ.get(variable, "").lower() == "true":
            return name
    return ""


def annotation(title: str, message: str, environ: Mapping[str, str], kind: str = "error") -> str:
    """The line that has an engine show ``message`` beside the code; empty if it has none.

    ``kind`` is ``"error"`` or ``"warning"``.
    """
    name = engine(environ)
    if name == "github":
        return f"::{kind} title={_property(title)}::{_data(message)}"
    if name == "azure":
        # One line is all that it takes.
        return f"##vso[task.logissue type={kind}]{title}: {' '.join(message.split())}"
    return ""


def group(title: str, environ: Mapping[str, str], seconds: int) -> Tuple[str, str]:
    """The lines between which an engine folds what is printed; empty if it cannot.

    ``seconds`` since 1970 are what GitLab shows the duration by.
    """
    name = engine(environ)
    if name == "github":
        return f"::group::{_data(title)}", "::endgroup::"
    if name == "azure":
        return f"##[group]{title}", "##[endgroup]"
    if name == "gitlab":
        section = "".join(c if c.isalnum() or c in "_.-" else "_" for c in title)
        start = f"\x1b[0Ksection_start:{seconds}:{section}[collapsed=true]\r\x1b[0K{title}"
        return start, f"\x1b[0Ksection_end:{seconds}:{section}\r\x1b[0K"
    return "", ""


def silenced(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables of builds that say nothing to the engine."""
    return {**environ, SILENT_VARIABLE: "1"}


def error_annotation(message: str) -> str:
    """The line for an error of this process; empty if nobody listens."""
    return annotation("manylinux-shim", message, os.environ)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
