"""The settings: a dataclass for each group, parsers of the variables' texts, and `Settings`, which combines the groups.

Nothing here reads the process's environment: `Settings.read` gets it as an argument.
"""

from webapp.settings.parsers import PROVIDERS
from webapp.settings.settings import DEFAULT_TEXT_TOKENS, LOOPBACK_HOSTS, REQUIRED_VARIABLES, Settings

__all__ = ["DEFAULT_TEXT_TOKENS", "LOOPBACK_HOSTS", "PROVIDERS", "REQUIRED_VARIABLES", "Settings"]
