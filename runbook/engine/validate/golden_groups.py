"""Which group answers for a space: by the node's own settings, or by what splits the traffic in front of it. Pure."""

from runbook.model.assignment import in_treatment
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.settings import Settings, same


def group_of(space: str, settings: Settings) -> str:
    """The group that answers for the space, by those settings."""
    share, always = settings.get("dual_memory.treatment_rate"), settings.get("dual_memory.treatment_spaces")
    treated = settings.get("dual_memory.enabled") is True and in_treatment(
        space,
        salt=str(settings.get("dual_memory.treatment_salt", "")),
        share=float(share) if isinstance(share, int | float) else 0.0,
        always=always if isinstance(always, tuple) else (),
    )
    return "treatment" if treated else "control"


def behind(splits: NodeSettings, nodes: NodeSettings) -> NodeSettings:
    """The nodes' settings, with what the splitters split by in the place of their own share, salt and named spaces.

    Where a splitter is silent, or they do not agree, nobody knows who answers for a space: every node is silent then.
    """
    if not splits:
        return nodes
    told = [each for each in splits.values() if not isinstance(each, Silence)]
    why = "; ".join(f"{each.node}: {each.reason}" for each in splits.values() if isinstance(each, Silence))
    if not why and any(not same(each.get(key), value) for each in told[1:] for key, value in told[0].items()):
        why = f"{', '.join(splits)} do not split by the same"
    if why:
        return {name: Silence(name, f"what splits its traffic is not known: {why}") for name in nodes}
    return {name: known if isinstance(known, Silence) else {**known, **told[0]} for name, known in nodes.items()}
