import json
import sys

import requests

with requests.post(f"{sys.argv[1]}/stream", json={"query": "Hi"}, stream=True, timeout=20) as response:
    frames = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith(b"data: ")]
print("".join(frame.get("text", "") for frame in frames))
