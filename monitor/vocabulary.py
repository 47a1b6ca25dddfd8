"""The kinds that exist, gathered from their folders' lists, for the config to check names against."""

from __future__ import annotations

from chaos.injectors import FAULT_OPTIONS
from chaos.shapes import SHAPE_OPTIONS
from monitor.capability import NAMES
from monitor.catalogue import READERS
from monitor.conditions import RULES
from monitor.config.model import DialectTraits, RuleTraits, Vocabulary
from monitor.dialects import DIALECTS
from monitor.notify import NOTIFIERS
from monitor.probes import KINDS


def vocabulary() -> Vocabulary:
    return Vocabulary(
        dialects=frozenset(DIALECTS),
        kinds=frozenset(KINDS),
        capabilities=NAMES,
        rules={
            name: RuleTraits(settings=rule.settings, one_of=rule.one_of, names_no_chain=rule.is_about_itself)
            for name, rule in RULES.items()
        },
        faults=FAULT_OPTIONS,
        shapes=SHAPE_OPTIONS,
        traits={
            name: DialectTraits(
                modes=dialect.modes,
                pins=dialect.pins,
                routes=dialect.routes,
                most_models=dialect.most_models,
                priced=name in READERS,
            )
            for name, dialect in DIALECTS.items()
        },
        notifiers={kind: notifier.settings for kind, notifier in NOTIFIERS.items()},
    )
