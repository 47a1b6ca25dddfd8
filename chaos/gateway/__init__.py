"""The gateway: application traffic that is watched as it passes, and that can be broken."""

from chaos.gateway.rule import Rule
from chaos.gateway.server import Gateway, chains_of

__all__ = ["Gateway", "Rule", "chains_of"]
