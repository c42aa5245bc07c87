"""A file of promtool's tests as YAML."""

from collections.abc import Iterator

from runbook.engine.monitoring.promql import number, span
from runbook.model.monitoring import Expected, Proof, ProofFile, Told
from runbook.report.monitoring.rules import MADE, comment, mapping, quoted


def proofs_text(file: ProofFile, docs: str) -> str:
    """The file; it stands in a folder below that of the rules. `docs` is what the addresses of pages begin with."""
    lines = [*comment(MADE), *comment(file.about), "rule_files:"]
    lines += [f"  - ../{name}.yml" for name in file.files]
    lines += [f"evaluation_interval: {span(file.step)}", "group_eval_order:"]
    lines += [f"  - {quoted(group)}" for group in file.order]
    lines.append("tests:" if file.proofs else "tests: []")
    for proof in file.proofs:
        lines += _proof(proof, span(file.step), docs)
    return "\n".join(lines) + "\n"


def _proof(proof: Proof, step: str, docs: str) -> Iterator[str]:
    yield f"  - name: {quoted(proof.name)}"
    yield f"    interval: {step}"
    yield f"    input_series:{'' if proof.given else ' []'}"
    for given in proof.given:
        yield f"      - series: {quoted(given.series)}"
        yield f"        values: {quoted(given.values)}"
    if proof.told:
        yield "    alert_rule_test:"
        for told in proof.told:
            yield from _told(told, docs)
    yield f"    promql_expr_test:{'' if proof.expected else ' []'}"
    for expected in proof.expected:
        yield from _expected(expected)


def _told(told: Told, docs: str) -> Iterator[str]:
    yield f"      - alertname: {told.alert}"
    yield f"        eval_time: {span(told.at)}"
    yield "        exp_alerts:"
    yield "          - exp_labels:"
    yield from mapping(told.labels, "              ")
    yield "            exp_annotations:"
    said = {**told.annotations, "runbook_url": docs + told.annotations["runbook_url"]}
    yield from mapping(said, "              ")


def _expected(expected: Expected) -> Iterator[str]:
    yield f"      - expr: {quoted(expected.expr)}"
    yield f"        eval_time: {span(expected.at)}"
    if expected.value is None:
        yield "        exp_samples: []"
        return
    yield "        exp_samples:"
    yield f"          - labels: {quoted('{}')}"
    yield f"            value: {number(expected.value)}"
