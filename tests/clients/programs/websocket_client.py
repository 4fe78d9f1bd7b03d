import json
import sys

import websocket

socket = websocket.create_connection(f"{sys.argv[1].replace('http', 'ws')}/ws", timeout=20)
socket.send(json.dumps({"type": "start", "ref": "1", "query": "Hi"}))
text = ""
while not (frame := json.loads(socket.recv())).get("done"):
    text += frame.get("text", "")
socket.close()
print(text)
