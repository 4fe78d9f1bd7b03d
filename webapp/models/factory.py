"""Re-exports `create_provider`."""

from webapp.wiring import create_provider as create_provider
