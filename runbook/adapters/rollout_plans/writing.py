"""A plan as YAML, small and readable: what is as usual is left out, what is flat stands on one line."""

from runbook.engine.rollout.plan.document import details_of
from runbook.model.rollout import RolloutPlan

WIDTH = 110
_LINE_ENDS = set("\r\n\x85\u2028\u2029\ufeff")
HEAD = "# docs/reference/rollout-plan.md tells every key. To begin it: runbook rollout start --plan FILE\n"


def plan_yaml(plan: RolloutPlan) -> str:
    """The plan as a YAML document; `read_plan` gives the same plan back."""
    import yaml  # noqa: PLC0415  # 26 ms that only this needs

    class Written(yaml.SafeDumper):
        """No anchors: what stands twice is written twice."""

        def ignore_aliases(self, data: object) -> bool:
            del data
            return True

        def text(self, data: str) -> yaml.ScalarNode:
            """What a reader would take for the end of a line is written in quotes, as an escape."""
            style = '"' if _LINE_ENDS & set(data) else None
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Written.add_representer(str, Written.text)
    text: str = yaml.dump(
        details_of(plan), Dumper=Written, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=None
    )
    return HEAD + text
