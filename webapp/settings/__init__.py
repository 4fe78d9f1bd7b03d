"""The settings: a dataclass for each group, the parsers of their variables, and `Settings`, which holds them all.

Nothing here reads the environment by itself, and nothing here acts on a setting.
"""

from webapp.settings.parsers import PROVIDERS
from webapp.settings.settings import LOOPBACK, UNLOCKS, Settings

__all__ = ["LOOPBACK", "PROVIDERS", "UNLOCKS", "Settings"]
