"""The list of all settings and the JSON Schema say what the models say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.config.model import Vocabulary
from monitor.config.reference import settings_reference
from monitor.config.schema import json_schema


def test_every_setting_is_listed_once_with_a_meaning(vocabulary: Vocabulary) -> None:
    listed = settings_reference(vocabulary)
    paths = [setting.path for setting in listed]
    assert len(paths) == len(set(paths))
    assert not [setting.path for setting in listed if not setting.meaning.endswith(".") or not setting.type]


@pytest.mark.parametrize(
    ("path", "kind", "default"),
    [
        ("endpoints.NAME.dialect", "one of litellm, openai_compatible, openrouter", "required"),
        ("chains[].targets[].timeout", "duration", "30s"),
        ("chains[].objective.success", "percentage", "99%"),
        ("chains[].objective.latency", "duration", ""),
        ("chains[].probes[].of", "list of one of chain, targets, providers", "chain, targets, providers"),
        ("drills[].with", "text or settings", ""),
        ("drills[].expect.rejected", "true or false", "false"),
        ("notifiers[slack].api_url", "text", "https://slack.com/api/"),
        ("rules[].for", "duration", "0s"),
        ("rules[].intervals", "number", "3"),
    ],
)
def test_a_setting_is_listed_with_its_type_and_default(
    vocabulary: Vocabulary, path: str, kind: str, default: str
) -> None:
    (setting,) = [setting for setting in settings_reference(vocabulary) if setting.path == path]
    assert (setting.type, setting.default) == (kind, default)


@pytest.fixture
def schema(vocabulary: Vocabulary) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(json.dumps(json_schema(vocabulary)))
    return whole


def test_the_schema_offers_the_words_of_the_vocabulary(schema: dict[str, Any], vocabulary: Vocabulary) -> None:
    sections = schema["chains"]["$defs"]
    assert sections["EndpointConfig"]["properties"]["dialect"]["enum"] == sorted(vocabulary.dialects)
    assert sections["ChainConfig"]["properties"]["needs"]["items"]["enum"] == sorted(vocabulary.capabilities)
    assert sections["DrillConfig"]["properties"]["by"]["anyOf"][0]["enum"] == ["request", "transport"]
    assert schema["alerts"]["$defs"]["RuleConfig"]["properties"]["when"]["enum"] == sorted(vocabulary.rules)


def test_the_schema_knows_each_fault_with_its_options(schema: dict[str, Any]) -> None:
    names, settings = schema["chains"]["$defs"]["DrillConfig"]["properties"]["with"]["anyOf"]
    assert {"unknown_id", "unknown-id", "stall"} <= set(names["enum"])
    (delay,) = [fault for fault in settings["oneOf"] if fault["title"] == "delay"]
    assert delay["properties"]["delay"]["properties"]["seconds"]["default"] == "5s"


def test_the_schema_has_one_form_for_each_kind_of_notifier(schema: dict[str, Any]) -> None:
    kinds = schema["alerts"]["$defs"]["NotifierConfig"]["oneOf"]
    assert [kind["properties"]["kind"]["const"] for kind in kinds] == ["log", "slack"]
    assert "channel" in kinds[1]["properties"]
    assert "settings" not in kinds[1]["properties"]
    assert all(kind["additionalProperties"] is False for kind in kinds)


def test_defaults_in_the_schema_are_written_as_in_the_file(schema: dict[str, Any]) -> None:
    sections = schema["chains"]["$defs"]
    assert sections["TargetConfig"]["properties"]["timeout"]["default"] == "30s"
    assert sections["ObjectiveConfig"]["properties"]["success"]["default"] == "99%"
