"""The gateway: application traffic that is watched as it passes, and that can be broken."""

from chaos.gateway.control import Alone
from chaos.gateway.rule import Rule
from chaos.gateway.server import Gateway, chains_of

__all__ = ["Alone", "Gateway", "Rule", "chains_of"]
