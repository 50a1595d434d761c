"""What a coroutine, a task or an async generator is waiting for, all the way down."""

from async_stack._chain import Link, chain

__all__ = ["Link", "chain", "render"]


def render(awaitable):
    """The await chain as text, one line a level, outermost first."""
    lines = []
    for depth, link in enumerate(chain(awaitable)):
        where = "" if link.filename is None else f"  {link.filename}:{link.lineno}"
        lines.append("  " * depth + link.name + where)
    return "\n".join(lines)
