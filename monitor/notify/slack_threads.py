"""What is said in the thread of an incident's message: details, changes, that it goes on, that it is over. Pure.

An edited message notifies nobody, and shows only what is so now; the thread keeps what was so when.
"""

from __future__ import annotations

from monitor.model import Notice, NoticeCause
from monitor.notify.blocks import (
    FACTS_FIRST,
    MERGED,
    SECTION_LIMIT,
    TEXT_LIMIT,
    Block,
    Message,
    clip,
    fields,
    icon,
    in_sections,
    lasted,
    plain,
    told_facts,
)


def is_loud(notice: Notice) -> bool:
    """Whether the whole channel is to see the reply, too: an edit notifies nobody."""
    return notice.cause is NoticeCause.REPEAT_DUE or (notice.cause is NoticeCause.CHANGED and notice.worse)


def reply(notice: Notice, *, announced: bool) -> Message | None:
    """None where the message itself says it all, as one does that nobody has seen before: whatever had waited with it
    is in it."""
    if notice.cause is NoticeCause.TEST:
        return None
    if not announced or notice.cause is NoticeCause.FIRST:
        return _details("Details", notice) if len(told_facts(notice)) > FACTS_FIRST else None
    match notice.cause:
        case NoticeCause.REPEAT_DUE:
            return render_reminder(notice)
        case NoticeCause.RESOLVED:
            lead = f"✅ Over after {lasted(notice)}" if notice.merged_into is None else f"{MERGED} Goes on elsewhere"
            return _with_the_rest(_said(lead, notice), notice)
        case NoticeCause.ACKNOWLEDGED:
            return _with_the_rest(_news("👀", notice), notice)
        case NoticeCause.CHANGED:
            lead = f"{icon(notice.severity)} Changed"
            return _with_the_rest(_news(lead, notice), notice) if notice.changes else _details(lead, notice)


def render_reminder(notice: Notice) -> Message:
    """For a message that is still true."""
    text = f"{icon(notice.severity)} Still firing after {lasted(notice)}: {notice.title}"
    return Message(text=clip(text, TEXT_LIMIT), blocks=({"type": "section", "text": plain(text, SECTION_LIMIT)},))


def _news(lead: str, notice: Notice) -> Message:
    text = f"{lead}: {notice.title}" if lead[-1].isalpha() else f"{lead} {notice.title}"
    body = "\n".join((text, *notice.changes))
    return Message(text=clip(body, TEXT_LIMIT), blocks=({"type": "section", "text": plain(body, SECTION_LIMIT)},))


def _said(lead: str, notice: Notice) -> Message:
    text = f"{lead}: {notice.title}"
    body = f"{text}\n{notice.summary}" if notice.summary.strip() else text
    return Message(text=clip(text, TEXT_LIMIT), blocks=({"type": "section", "text": plain(body, SECTION_LIMIT)},))


def _details(lead: str, notice: Notice) -> Message:
    return _with_facts(_said(lead, notice), notice)


def _with_the_rest(said: Message, notice: Notice) -> Message:
    """The message itself says how many of its facts are to be found here."""
    return _with_facts(said, notice) if len(told_facts(notice)) > FACTS_FIRST else said


def _with_facts(said: Message, notice: Notice) -> Message:
    facts = told_facts(notice)
    shown = fields(facts)
    blocks: list[Block] = [*said.blocks, *in_sections(shown)]
    if left_out := len(facts) - len(shown):
        elements = [plain(f"{left_out} more facts left out", SECTION_LIMIT)]
        blocks.append({"type": "context", "elements": elements})
    return Message(text=said.text, blocks=tuple(blocks))
