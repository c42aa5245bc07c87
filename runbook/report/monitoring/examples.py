"""Examples that work as they are: Prometheus' configuration, and Alertmanager's with the route to our webhook."""

from datetime import timedelta

from runbook.engine.monitoring.promql import span
from runbook.model.monitoring import NODES, OURSELVES
from runbook.report.monitoring.rules import comment

TOKEN = "/etc/alertmanager/engram-runbook.token"  # noqa: S105 - where it stands, not what it is
SERVE = "127.0.0.1:8787"
WEBHOOK = "/api/v1/alerts"

_PROMETHEUS = """\
global:
  scrape_interval: {scrape}
  evaluation_interval: {scrape}
rule_files:
  - rules/*.yml
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["127.0.0.1:9093"]
scrape_configs:
  - job_name: {nodes}
    metrics_path: /metrics/prometheus
    file_sd_configs:
      - files: ["targets/*.json"]
  - job_name: {ourselves}
    static_configs:
      - targets: ["{serve}"]
"""

_ALERTMANAGER = """\
route:
  receiver: engram-runbook
  group_by: [target, issue]
  group_wait: 30s
  group_interval: 1m
  repeat_interval: 4h
  routes:
    - matchers: ['severity="info"']
      receiver: nobody
    - matchers: ['severity="critical"']
      receiver: engram-runbook
      group_wait: 1s
      group_interval: 15s
      repeat_interval: 1h
    # What is said about this tool cannot reach it when it is down. With a pager (below) people hear of it:
    # - matchers: ['issue="runbook"']
    #   receiver: pager
receivers:
  - name: nobody
  # - name: pager  # yours; the command to type is the annotation `runbook`
  - name: engram-runbook
    webhook_configs:
      - url: http://{serve}{webhook}
        send_resolved: true
        max_alerts: 200
        http_config:
          authorization:
            type: Bearer
            credentials_file: {token}
inhibit_rules:
  # What a node that is down does not tell is no news.
  - source_matchers: ['alertname="NodeDown"']
    target_matchers: ['alertname=~"NodeSilentOn|NodeRestarted"']
    equal: [target, node]
"""


def prometheus_text(scrape: timedelta) -> str:
    """`prometheus.yml`: the nodes, and `runbook serve`."""
    about = (
        "An example for Prometheus: put it beside the folder `rules`. The labels `target` and `node` are those of "
        "the configuration and of the inventory; `runbook monitoring scrape` writes them, into a file of `targets`. "
        f"The alerts know the nodes by the job {NODES}, and `runbook serve` by the job {OURSELVES}: where nobody runs "
        "it, take that job out."
    )
    filled = _PROMETHEUS.format(scrape=span(scrape), nodes=NODES, ourselves=OURSELVES, serve=SERVE)
    return "\n".join(comment(about)) + "\n" + filled


def alertmanager_text() -> str:
    """`alertmanager.yml`: all that is no mere information goes to the webhook of `runbook serve`."""
    about = (
        "An example for Alertmanager. The token is that of `[serve] webhook_token_file`, in a file of Alertmanager's "
        "own. What is critical leaves within a second; what belongs to one target and one issue leaves together. "
        "Information (gates that are closed, symptoms that support others) stays in Prometheus. Add your own pager: "
        "each alert carries its command in the annotation `runbook`."
    )
    return "\n".join(comment(about)) + "\n" + _ALERTMANAGER.format(serve=SERVE, webhook=WEBHOOK, token=TOKEN)
