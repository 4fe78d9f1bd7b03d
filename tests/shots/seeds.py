"""Long conversations, imported."""

from typing import Any

# Runs on the page, so that the conversation belongs to its visitor.
IMPORT = """async body => {
    const options = {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)};
    return (await (await fetch('/conversations/import', options)).json()).id;
}"""


def conversation(count: int) -> dict[str, Any]:
    """Return an export file of a conversation with this many messages of a thousand characters each."""
    messages: list[dict[str, Any]] = []
    for number in range(count):
        text = f"Message {number}x. " + "The river rises when the snow melts. " * 30
        if number % 2:
            text = f"**Message {number}x.**\n\n- one\n- two\n\n" + "It falls when the *summer* comes. " * 30
        messages.append(
            {
                "id": f"m{number}",
                "parent": f"m{number - 1}" if number else None,
                "role": ("user", "assistant")[number % 2],
                "content": [{"type": "text", "text": text[:1_000]}],
                "created_at": number + 1,
            }
        )
    return {"freshet": 1, "messages": messages}
