"""Pictures of the dashboards for the README: drawn from a Prometheus's data, in the way of Grafana and without it."""
