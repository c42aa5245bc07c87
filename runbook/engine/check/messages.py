"""What the program itself says: the commands that its messages and hints name."""

import ast
from collections.abc import Iterator

from runbook.engine.check.commands import names_of_commands
from runbook.engine.check.known import Known
from runbook.engine.check.markdown import Piece, Where
from runbook.engine.check.named import Kind, Named

_COMMANDS = frozenset({Kind.COMMAND, Kind.OPTION})
_PLANNED = "in a later release"


def names_in_messages(source: str, known: Known) -> Iterator[Named]:
    """Every `runbook ...` in the texts of a module of Python, docstrings aside, and what is said to come later."""
    for text, line in _texts(ast.parse(source)):
        if "runbook " not in text or _PLANNED in text:
            continue
        for offset, part in enumerate(text.splitlines()):
            piece = Piece(Where.BLOCK, part, line + offset, 0)
            yield from (named for named in names_of_commands(piece, known) if named.kind in _COMMANDS)


def _texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Each text with its line; what an f-string puts in stands as a placeholder."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Expr(value=ast.Constant()):
                continue  # a docstring
            case ast.Constant(value=str() as text):
                yield text, node.lineno
            case ast.JoinedStr():
                parts = [str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values]
                yield "".join(parts), node.lineno
            case _:
                yield from _texts(node)
