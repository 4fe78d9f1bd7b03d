import sys

from openai import OpenAI

client = OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
asked = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi"}]}
whole = client.chat.completions.create(**asked).choices[0].message.content
streamed = "".join(
    chunk.choices[0].delta.content or ""
    for chunk in client.chat.completions.create(**asked, stream=True)
    if chunk.choices
)
print(streamed if whole == streamed else f"whole: {whole}, streamed: {streamed}")
