"""Configs of the end-to-end tests: short intervals, so that a test sees in seconds what takes minutes in production."""

from __future__ import annotations

CHAINS = """
endpoints:
  openrouter: {dialect: openrouter, url: "https://openrouter.ai/api/v1", credential_env: OPENROUTER_API_KEY}
chains:
  - name: chat
    endpoint: openrouter
    mode: server
    targets:
      - {label: primary, model: anthropic/claude-haiku-4.5, timeout: 5s}
      - {label: secondary, model: openai/gpt-4o-mini, timeout: 5s}
    probes:
      - {kind: completion, every: 1s, of: [chain]}
      - {kind: completion, every: 2s, of: [targets]}
  - name: walked
    endpoint: openrouter
    mode: client
    targets:
      - {label: fast, model: mistralai/mistral-small-3.2-24b-instruct, timeout: 3s}
      - {label: steady, model: google/gemini-2.5-flash, timeout: 3s}
    probes:
      - {kind: completion, every: 1s, of: [chain]}
      - {kind: completion, every: 2s, of: [targets]}
drills:
  - name: primary-gone
    chain: chat
    break: primary
    with: ignore
    requests: 2
    expect: {served_by: secondary, path: filtered}
  - name: fast-refuses
    chain: walked
    break: fast
    with: rate_limited
    requests: 2
    expect: {served_by: steady, path: failed_over}
  - {name: impatient, chain: walked, break: fast, with: stall, requests: 1, expect: {served_by: steady, within: 1s}}
  - {name: long, chain: walked, break: fast, with: silent, requests: 20, expect: {served_by: steady}, max_duration: 60s}
"""

ALERTS = """
notifiers:
  - {{name: slack, kind: slack, token_env: SLACK_BOT_TOKEN, channel: "#alerts", api_url: "{api_url}"}}
  - {{name: log, kind: log}}
routes:
  - {{notify: [slack, log]}}
rules:
  - {{name: chain-down, when: chain_down, severity: critical}}
  - {{name: fallback-rate, when: fallback_rate, above: 20%, window: 8s, min_samples: 3}}
  - {{name: drill-deviated, when: drill_deviated}}
"""

COMMANDED = """
link: "http://fallbackd.example:9469/"
notifiers:
  - name: slack
    kind: slack
    token_env: SLACK_BOT_TOKEN
    channel: "#alerts"
    api_url: "{api_url}"
    commands: {{app_token_env: SLACK_APP_TOKEN, users: [U0ADA], channels: [C0FAKE]}}
  - {{name: log, kind: log}}
routes:
  - {{notify: [slack]}}
rules:
  - {{name: chain-down, when: chain_down, severity: critical, repeat: 2s}}
"""
"""A daemon that takes orders from Slack."""

QUIET = """
notifiers:
  - {name: log, kind: log}
routes:
  - {notify: [log]}
rules:
  - {name: chain-down, when: chain_down, severity: critical}
"""
