"""`create_provider`, under the import path `webapp.models.factory`."""

from webapp.wiring import create_provider as create_provider
