"""What a model of the sandbox says: cheap, deterministic from a seed and the request, and fit to be judged. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from chaos.faults.unfit import UNFIT
from chaos.model import Effect
from chaos.sandbox.catalogue import Endpoint, Model, Reasoning
from chaos.sandbox.filters import compresses
from chaos.sandbox.instances import EXACTLY, WORDS, instance_of
from chaos.sandbox.pictures import colours_of
from chaos.sandbox.wanted import Wanted, images_of, text_of, tokens_of

REASONING_TOKENS = 24
DEFAULT_LIMIT = 1024
REFUSAL = "I'm sorry, but I can't help with that."
NONSENSE = "I would rather not say."
_SECRET = re.compile(r"secret (?:code|word|number) is[:\s]+[\"'`]?([\w-]+)", re.IGNORECASE)
_BRIEF = re.compile(r"\b(?:only|one word|single word|just)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer. ``finish`` as OpenRouter names it; ``completion_tokens`` include the reasoning."""

    content: str
    finish: str
    completion_tokens: int
    reasoning_tokens: int = 0
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    refusal: str = ""


def say(wanted: Wanted, endpoint: Endpoint, seed: int) -> Said:
    """A model that reasons thinks first, so a small ``max_tokens`` leaves it nothing to answer with."""
    limit = min(wanted.max_tokens or DEFAULT_LIMIT, endpoint.max_completion)
    thought = min(REASONING_TOKENS, limit) if _reasons(wanted, endpoint.model) else 0
    prompt = _prompt(wanted, endpoint)
    rng = Random(f"{seed}:{endpoint.model.id}:{prompt}".encode("utf-8", "surrogatepass"))
    if call := _tool_call(wanted, endpoint.model, prompt, rng):
        spent = thought + tokens_of(call["function"]["arguments"])
        if spent <= limit:
            return Said(
                content="", finish="tool_calls", completion_tokens=spent, reasoning_tokens=thought, tool_calls=(call,)
            )
    text = _stopped(_text(wanted, prompt, rng), wanted.body.get("stop"))
    room = (limit - thought) * 4
    cut = text[:room]
    return Said(
        content=cut,
        finish="length" if len(cut) < len(text) else "stop",
        completion_tokens=thought + tokens_of(cut),
        reasoning_tokens=thought,
    )


def bend(said: Said, effect: Effect) -> Said:
    """The answer as the effect's ``rewrite`` changes it."""
    if effect.rewrite == "empty_content":
        return replace(said, content="", tool_calls=(), finish="stop")
    if effect.rewrite == "wrong_answer":
        return replace(said, content=NONSENSE, tool_calls=(), finish="stop")
    if effect.rewrite == "refusal":
        return replace(said, content="", refusal=REFUSAL, tool_calls=(), finish="stop")
    if effect.rewrite == "starved":
        spent = max(said.completion_tokens, 1)
        return replace(
            said, content="", tool_calls=(), finish="length", completion_tokens=spent, reasoning_tokens=spent
        )
    if effect.rewrite is not None and effect.rewrite in UNFIT:
        return _unfit(said, UNFIT[effect.rewrite]({"content": said.content, "tool_calls": list(said.tool_calls)}))
    return said


def _unfit(said: Said, message: Mapping[str, Any]) -> Said:
    """Without a call left there is none to have ended for."""
    calls = tuple(message.get("tool_calls") or ())
    finish = "stop" if said.tool_calls and not calls else said.finish
    return replace(said, content=message["content"], tool_calls=calls, finish=finish)


def _reasons(wanted: Wanted, model: Model) -> bool:
    asked = wanted.body.get("reasoning") or {}
    effort = asked.get("effort", wanted.body.get("reasoning_effort"))
    if model.reasoning is Reasoning.OPTIONAL:
        return asked.get("enabled", effort is not None or "max_tokens" in asked) is True and effort != "none"
    return model.reasoning is Reasoning.MANDATORY


def refuses_reasoning_off(wanted: Wanted, model: Model) -> bool:
    """Whether reasoning is to be switched off where it cannot be."""
    asked = wanted.body.get("reasoning") or {}
    off = asked.get("enabled") is False or asked.get("effort") == "none"
    return off and model.reasoning is Reasoning.MANDATORY


def _prompt(wanted: Wanted, endpoint: Endpoint) -> str:
    """All messages; without its middle where it had to be shortened to fit."""
    prompt = "\n".join(text_of(message) for message in wanted.messages)
    room = endpoint.context * 4
    if len(prompt) > room and compresses(wanted, endpoint):
        return prompt[: room // 2] + prompt[-(room // 2) :]
    return prompt


def _text(wanted: Wanted, prompt: str, rng: Random) -> str:
    schema = _schema(wanted.body.get("response_format"))
    if schema is not None:
        return json.dumps(instance_of(schema, prompt, rng))
    last = wanted.messages[-1]
    if last.get("role") == "tool":
        return f"The result is {text_of(last)}"
    if found := EXACTLY.findall(prompt):
        return str(found[-1]).rstrip(".")
    if "secret" in text_of(last).lower() and (secret := _SECRET.search(prompt)):
        return secret[1]
    if images := images_of(last):
        return _seen(images[0], text_of(last))
    return " ".join(rng.choices(WORDS, k=24)).capitalize() + "."


def _seen(url: str, question: str) -> str:
    colours = colours_of(url)
    if not colours:
        return "I see an image."
    if _BRIEF.search(question):
        return " ".join(colours).capitalize()
    left, right = colours[0], colours[-1]
    return f"The image is plain {left}." if left == right else f"The image is {left} on the left, {right} on the right."


def _stopped(text: str, stop: Any) -> str:
    marks = [stop] if isinstance(stop, str) else stop or ()
    places = [text.find(mark) for mark in marks if isinstance(mark, str) and mark]
    return text[: min((place for place in places if place >= 0), default=len(text))]


def _schema(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    kind = response_format.get("type") if response_format else None
    if kind == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    if response_format is None or kind != "json_schema":
        return None
    named = response_format.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else None
    return schema if isinstance(schema, Mapping) else {"type": "object"}


def _tool_call(wanted: Wanted, model: Model, prompt: str, rng: Random) -> Mapping[str, Any] | None:
    """Called when it must be, or when the prompt names a tool; never after a tool's result."""
    tools = _functions(wanted.body.get("tools") or ())
    choice = wanted.body.get("tool_choice")
    if not tools or choice == "none" or "tools" not in model.parameters or wanted.messages[-1].get("role") == "tool":
        return None
    tool = _chosen(tools, choice, prompt)
    if tool is None:
        return None
    arguments = instance_of(tool.get("parameters") or {"type": "object"}, prompt, rng)
    call = {"name": tool["name"], "arguments": json.dumps(arguments)}
    return {"index": 0, "id": f"call_{rng.getrandbits(48):012x}", "type": "function", "function": call}


def _chosen(tools: list[Mapping[str, Any]], choice: Any, prompt: str) -> Mapping[str, Any] | None:
    forced = choice.get("function") if isinstance(choice, Mapping) else None
    name = forced.get("name") if isinstance(forced, Mapping) else None
    if name is not None:
        return next((tool for tool in tools if tool["name"] == name), None)
    named = next((tool for tool in tools if tool["name"] in prompt), None)
    return named or (tools[0] if choice == "required" else None)


def _functions(tools: Any) -> list[Mapping[str, Any]]:
    found = (tool.get("function") for tool in tools if isinstance(tool, Mapping))
    return [one for one in found if isinstance(one, Mapping) and isinstance(one.get("name"), str)]
