"""Reads the entries of a listing, each what a server says of one model.

Servers say different things, so every field is optional and read in the forms that are seen:
https://platform.openai.com/docs/api-reference/models, https://docs.anthropic.com/en/api/models-list,
https://openrouter.ai/docs/api-reference/list-available-models, https://docs.mistral.ai/api/#tag/models,
https://github.com/ollama/ollama/blob/main/docs/api.md. What is not readable as a model is left out; everything is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args

from webapp.catalog.listing import ListedModel
from webapp.chat import Effort
from webapp.errors import UpstreamError
from webapp.providers.loose_json import as_int, as_string

MAX_MODELS = 2_000
MAX_NAME_CHARS = 200
_MAX_TITLE_CHARS = 100
_MAX_TOKENS = 1_000_000_000
_MAX_PRICE = Decimal(1_000_000)  # US dollars per million tokens
_PER_TOKEN = Decimal(1_000_000)
# Models that no chat endpoint accepts, by a word of their names; servers that say what a model is for do so in other fields.
_OTHER_PURPOSES = re.compile(
    r"(?:^|[-_/.:])(?:embed(?:ding)?s?|tts|whisper|transcribe|realtime|audio|live|moderation|rerank(?:er)?|dall-e|sora|"
    r"imagen|veo|aqa|stable-diffusion|flux|bge|mistral-ocr|davinci|babbage|curie|ada|computer-use|(?:gpt|chatgpt|omni)-(?:image|moderation)|gpt-3\.5-turbo-instruct)(?:$|[-_/.:@\d])",
    re.I,
)
_LISTS = ("data", "models", "result", "results", "items", "model_list")
_MAX_NESTING = 3
_CHAT_TYPES = {"chat", "language", "llm", "vlm", "text", "text-generation", "model", "base"}
_PURPOSES = (("endpoints", "chat"), ("supportedGenerationMethods", "generateContent"))  # Cohere, Gemini
_CONTEXT_KEYS = (
    "context_length",
    "context_window",
    "max_context_length",
    "max_model_len",
    "max_input_tokens",
)
_ANSWER_KEYS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_EMBEDDING_FAMILIES = {"bert", "nomic-bert", "xlm-roberta"}  # Ollama's, in `details`


def listed_items(page: Any) -> list[Any]:
    """Return the items of a listing: at `data` (OpenAI, Anthropic), at `models` (Ollama), or the whole list (Together).

    Gateways nest it, or have the models in an object, by their names.
    """
    found = _find_list(page, 0)
    if found is None:
        raise UpstreamError("upstream_protocol", detail="the listing is no list of models")
    return found[: 5 * MAX_MODELS]


def _find_list(page: Any, depth: int) -> list[Any] | None:
    if isinstance(page, list):
        return page
    if not isinstance(page, dict) or depth > _MAX_NESTING:
        return None
    holders = [page[name] for name in _LISTS if isinstance(page.get(name), (list, dict))]
    if holders:
        return _find_list(holders[0], depth + 1)
    by_name = depth > 0 and bool(page) and all(isinstance(each, dict) for each in page.values())
    return [{"id": name, **each} for name, each in page.items()] if by_name else None


def parse_model(item: Any) -> ListedModel | None:
    """Return a listed model; None for what is not readable as one, or is not for chats."""
    if isinstance(item, str):
        item = {"id": item}
    if not isinstance(item, dict):
        return None
    name = (
        as_string(item.get("id"))
        or as_string(item.get("name"))
        or as_string(item.get("model"))
        or as_string(item.get("key"))
        or ""
    )
    if not is_valid_name(name) or not _is_for_chat(name, item):
        return None
    input_price, output_price, cache_read, cache_write = _prices(item.get("pricing"))
    return ListedModel(
        name=name,
        title=_title(item, name),
        created=_tokens(item.get("created")) or 0 if not isinstance(item.get("created"), bool) else 0,
        context_window=first_tokens(_nested(item, _CONTEXT_KEYS)),
        max_answer_tokens=first_tokens(_nested(item, _ANSWER_KEYS)),
        input_price=input_price,
        output_price=output_price,
        cache_read_price=cache_read,
        cache_write_price=cache_write,
        supports_images=_supports_images(item),
        reasoning=_reasons(item),
        efforts=_efforts(item),
    )


def is_valid_name(name: str) -> bool:
    """Return whether a listed name can be a model's: short, printable, without white space at its ends or line breaks."""
    is_short = 0 < len(name) <= MAX_NAME_CHARS
    return is_short and name.isprintable() and name.strip() == name and "*" not in name  # a gateway's pattern


def _is_for_chat(name: str, item: Mapping[str, Any]) -> bool:
    kind = as_string(item.get("type"))
    if kind is not None and kind.lower() not in _CHAT_TYPES:
        return False
    if item.get("active") is False or item.get("archived") is True:
        return False
    if as_string(as_mapping(item.get("details")).get("family")) in _EMBEDDING_FAMILIES:
        return False
    capabilities = item.get("capabilities")
    if isinstance(capabilities, dict) and capabilities.get("completion_chat") is False:
        return False
    if item.get("supports_chat") is False:  # Fireworks
        return False
    for field, purpose in _PURPOSES:
        purposes = item.get(field)
        if isinstance(purposes, list) and purposes and purpose not in purposes:
            return False
    outputs = as_mapping(item.get("architecture")).get("output_modalities")
    if isinstance(outputs, list) and outputs and "text" not in outputs:
        return False
    return _OTHER_PURPOSES.search(name) is None


def _title(item: Mapping[str, Any], name: str) -> str | None:
    """Return the title, where it is one: Ollama's and Together's are in other fields, and are often the name again."""
    title = as_string(item.get("display_name")) or (as_string(item.get("name")) if item.get("id") else None)
    if title is None or title == name or not title.isprintable() or len(title) > _MAX_TITLE_CHARS:
        return None
    return title.strip() or None


def _nested(item: Mapping[str, Any], keys: Iterable[str]) -> Iterator[Any]:
    """Yield the values of `keys`, also those that OpenRouter gives for its best provider."""
    best = as_mapping(item.get("top_provider"))
    for key in keys:
        yield item.get(key)
        yield best.get(key)


def _supports_images(item: Mapping[str, Any]) -> bool | None:
    capabilities = as_mapping(item.get("capabilities"))
    for value in (capabilities.get("vision"), as_mapping(capabilities.get("image_input")).get("supported")):
        if isinstance(value, bool):
            return value
    inputs = as_mapping(item.get("architecture")).get("input_modalities", item.get("input_modalities"))
    return "image" in inputs if isinstance(inputs, list) and inputs else None


def _reasons(item: Mapping[str, Any]) -> bool | None:
    capabilities = as_mapping(item.get("capabilities"))
    for value in (capabilities.get("reasoning"), as_mapping(capabilities.get("thinking")).get("supported")):
        if isinstance(value, bool):
            return value
    parameters = item.get("supported_parameters")
    return "reasoning" in parameters if isinstance(parameters, list) and parameters else None


def _efforts(item: Mapping[str, Any]) -> tuple[Effort, ...] | None:
    """Return the efforts in Anthropic's form: `{"effort": {"low": {"supported": true}, …}}`.

    A model has the effort `none`, too, unless the listing says that its thinking cannot be turned off.
    """
    capabilities = as_mapping(item.get("capabilities"))
    efforts = dict(as_mapping(capabilities.get("effort")))
    kinds = as_mapping(as_mapping(capabilities.get("thinking")).get("types"))
    off = [as_mapping(kinds.get(name)).get("supported") for name in ("disabled", "between_tools")]
    if efforts.get("supported") is True and (True in off or False not in off):
        efforts["none"] = {"supported": True}
    known = [name for name in get_args(Effort) if as_mapping(efforts.get(name)).get("supported") is True]
    return tuple(known) or None


def _prices(
    pricing: Any,
) -> tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]:
    """Return the prices per million tokens: OpenRouter's are per token, Together's are as we have them."""
    if not isinstance(pricing, dict):
        return None, None, None, None
    if "prompt" in pricing:
        keys, factor = ("prompt", "completion", "input_cache_read", "input_cache_write"), _PER_TOKEN
    else:
        keys, factor = ("input", "output", "cached_input", "cache_write"), Decimal(1)
    read, written, cache_read, cache_write = (_price(pricing.get(key), factor) for key in keys)
    return (
        (None, None, None, None)
        if read is None or written is None
        else (read, written, cache_read, cache_write)
    )


def _price(value: Any, factor: Decimal) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or len(str(value)) > 40:
        return None
    try:
        price = Decimal(str(value)) * factor
    except ArithmeticError:  # no number, or one of a million digits
        return None
    return price.normalize() if price.is_finite() and 0 <= price <= _MAX_PRICE else None


def first_tokens(values: Iterable[Any]) -> int | None:
    """Return the first value that is a plausible number of tokens."""
    return next((tokens for value in values if (tokens := _tokens(value)) is not None), None)


def _tokens(value: Any) -> int | None:
    number = as_int(value)
    return number if number is not None and 0 < number <= _MAX_TOKENS * 10 else None


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return an object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}
