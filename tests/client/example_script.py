"""A program that streams answers with and without documents, from a provider that its argument names; run by `test_example_script`."""

import sys
from typing import Any

from webapp import create_query_client
from webapp.models.base import ModelMessage, ModelRequest
from webapp.models.factory import create_provider

QUESTION = "When is the library open?"


def show(delta: str, full_text: str) -> None:
    """Print what is new."""
    assert full_text.endswith(delta)
    print(delta, end="", flush=True)


def ask_client() -> None:
    """Ask through a query client: with the documents that it finds, then with those that the answer is based on."""
    client = create_query_client()
    documents = client.retrieve_only(QUESTION)
    print(f"found: {len(documents)}")
    if documents:
        best = documents[0]
        print(
            f"best: {best['metadata'].get('source', 'unknown')}, {best['score'] > 0}, {best['content'][:20]!r}"
        )
    text = client.query_streaming(QUESTION, show, retrieve=True)
    print(f"\nlength: {len(text)}")
    last = client.last_response
    assert last is not None
    print(
        f"usage: {last.usage.input_tokens > 0} {last.usage.output_tokens > 0}, cost: {last.cost is not None}"
    )
    print(f"plain: {client.query(QUESTION) == text}")


def ask_provider(name: str, model: str, **more: Any) -> None:
    """Ask a provider by itself."""
    provider = create_provider(name, model_name=model, max_tokens=300, **more)
    request = ModelRequest(messages=[ModelMessage.user(QUESTION)], max_tokens=300)

    def follow(delta: str, response: Any) -> None:
        show(delta, response.content)
        assert response.usage.output_tokens >= 0

    final = provider.stream_with_callback(request, follow)
    print(
        f"\nmodel: {provider.model_name}, {final.provider}, {len(final.content)}, {final.finish_reason}, {final.cost}"
    )


if __name__ == "__main__":
    ask_client()
    chosen, named = sys.argv[1:3]
    ask_provider(chosen, named, **({"delay_ms": 1} if chosen == "mock" else {}))
