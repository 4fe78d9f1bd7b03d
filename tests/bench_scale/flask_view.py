"""What resuming is compared with: a Flask view that sends the bytes of BODY_FILE, which it has in memory."""

import os
from pathlib import Path

from flask import Flask, Response

app = Flask(__name__)
_body = Path(os.environ["BODY_FILE"]).read_bytes()


@app.get("/stream/<run>")
def send(run: str) -> Response:
    """Send the bytes."""
    del run
    return Response(_body, mimetype="text/event-stream")
