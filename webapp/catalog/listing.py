"""What a provider lists: its models, with what it says of them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from webapp.chat import Effort


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a provider's listing. None means that the listing does not say; `created` is seconds since 1970."""

    name: str
    title: str | None = None
    created: int = 0
    context_window: int | None = None
    max_answer_tokens: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cache_read_price: Decimal | None = None
    cache_write_price: Decimal | None = None
    supports_images: bool | None = None
    reasoning: bool | None = None
    efforts: tuple[Effort, ...] | None = None
