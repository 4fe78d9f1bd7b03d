import json
import sys

import httpx
import httpx_sse

with (
    httpx.Client(timeout=20) as client,
    httpx_sse.connect_sse(client, "POST", f"{sys.argv[1]}/stream", json={"query": "Hi"}) as source,
):
    print("".join(json.loads(event.data).get("text", "") for event in source.iter_sse()))
