"""The limit of an answer that fits, from a provider's refusal."""

import pytest

from webapp.errors import UpstreamError
from webapp.providers.refusals.answer_limit import LEAVE_OUT, fit_answer

# The refusal, the refused limit, an estimate of the question's tokens, the limit to try.
REFUSALS = [
    (
        "This model's maximum context length is 4096 tokens. However, you requested 4108 tokens (12 in the messages, 4096 in "
        "the completion). Please reduce the length of the messages or completion.",
        4096,
        9,
        4084,
    ),
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 4096 tokens and your "
        "request has 12 input tokens (4096 > 4096 - 12).",
        4096,
        9,
        4084,
    ),
    (
        "This endpoint's maximum context length is 8,192 tokens. However, you requested about 8300 tokens (204 of text input, "
        "8096 in the output).",
        8096,
        150,
        7988,
    ),
    (
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease them",
        21333,
        9,
        11760,
    ),
    (
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 12 `inputs` tokens and 4096 `max_new_tokens`",
        4096,
        9,
        4084,
    ),
    (
        "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for claude-x",
        64000,
        9,
        8192,
    ),
    (
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you …",
        100000,
        9,
        16384,
    ),
    ("`max_tokens` must be less than or equal to `8192`, the maximum for this model", 9000, 9, 8192),
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 9000, 9, 8192),
    ("The context window is 2048 tokens", 2048, 100, 2048 - 125 - 64),
    ("the request exceeds the available context size, try increasing it", 4096, 9, LEAVE_OUT),
    ("max_tokens is too large", 4096, 9, LEAVE_OUT),
    ("prompt is too long: 9000 tokens", 4096, 9000, LEAVE_OUT),
    (
        "maximum context length is 4096 tokens. Your messages resulted in 5000 tokens in the messages",
        1000,
        5000,
        None,
    ),
    ("maximum context length is 8192 tokens. However, your messages resulted in 9000.", 4096, 9000, None),
    ("stop is not supported", 4096, 9, None),
    # vLLM, Mistral, DashScope, Gemini (twice), Bedrock, TGI, LiteLLM, FastAPI, Groq, Baidu, OpenAI
    ("max_tokens=40000 cannot be greater than max_model_len=max_total_tokens=32768", 40000, 9, 32768 - 11 - 64),
    ("max_tokens (40000) exceeds the maximum allowed 16384", 40000, 9, 16384),
    ("<400> InternalError: Range of max_tokens should be [1, 16384]", 40000, 9, 16384),
    ("it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 65537 (exclusive).", 100000, 9, 65536),
    ("max_output_tokens must be in the range [1, 65536]", 100000, 9, 65536),
    ("The maximum tokens you requested exceeds the model limit of 4096.", 8192, 9, 4096),
    ("Expected max_tokens to be less than 4097, got 5000", 5000, 9, 4096),
    ("max_tokens is too large: 100,000; limit is 16,384", 100000, 9, 16384),
    ("max_tokens should be between 1 and 8192", 40000, 9, 8192),
    ("Requested max output tokens (40000) exceeds model limit (8192)", 40000, 9, 8192),
    ("Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 8512, please reduce", 8192, 9, 5680),
    ("max_tokens参数非法：取值范围[1,4095]", 40000, 9, 4095),
    ("max_output_tokens\nInteger below minimum value. Expected a value >= 16, but got 5 instead.", 5, 9, 16),
    ("max_completion_tokens\nInteger above maximum value. Expected a value <= 8192, but got 40000.", 40000, 9, 8192),
    ("", 4096, 9, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "limit", "estimate", "fitting"), REFUSALS, ids=range(len(REFUSALS)))
def test_n18_a_refused_limit_leads_to_what_fits(
    text: str, limit: int, estimate: int, fitting: int | None
) -> None:
    error = UpstreamError("upstream_bad_request", reason=f"\n{text}", status=400)
    assert fit_answer(error, limit, estimate) == fitting
