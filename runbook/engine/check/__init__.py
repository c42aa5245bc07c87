"""Are the documents true? Everything that they name, against what there is."""

from runbook.engine.check.known import Argument, CommandTree, Known, Option, Surroundings
from runbook.engine.check.markdown import Document, read
from runbook.engine.check.messages import names_in_messages
from runbook.engine.check.named import Kind, Named
from runbook.engine.check.names import names_in
from runbook.engine.check.typed import names_in_issue, names_in_material

__all__ = [
    "Argument",
    "CommandTree",
    "Document",
    "Kind",
    "Known",
    "Named",
    "Option",
    "Surroundings",
    "names_in",
    "names_in_issue",
    "names_in_material",
    "names_in_messages",
    "read",
]
