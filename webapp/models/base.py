"""Re-exports messages, requests, responses and `BaseProvider`."""

from webapp.chat import ImagePart as ImagePart
from webapp.chat import ModelMessage as ModelMessage
from webapp.chat import ModelRequest as ModelRequest
from webapp.chat import ModelResponse as ModelResponse
from webapp.chat import TextPart as TextPart
from webapp.chat import Usage as Usage
from webapp.providers.base import BaseProvider as BaseProvider
