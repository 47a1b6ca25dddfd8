"""Health of targets and chains over time: pure rules over outcomes, and the values they keep."""

from monitor.health.chain import judge_chain
from monitor.health.fitness import Ability, Standing, abilities, lacks
from monitor.health.state import (
    ChainState,
    KindState,
    Serving,
    SubjectState,
    Trouble,
    WrongAnswer,
    dump_state,
    load_chain_state,
    load_state,
)
from monitor.health.subject import Confirm, advance, may_ask, retain, should_confirm

__all__ = [
    "Ability",
    "ChainState",
    "Confirm",
    "KindState",
    "Serving",
    "Standing",
    "SubjectState",
    "Trouble",
    "WrongAnswer",
    "abilities",
    "advance",
    "dump_state",
    "judge_chain",
    "lacks",
    "load_chain_state",
    "load_state",
    "may_ask",
    "retain",
    "should_confirm",
]
