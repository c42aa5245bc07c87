"""The dashboards: overview, canary against control, objectives; and Grafana's JSON of them."""
