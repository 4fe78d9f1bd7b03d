"""Responses that several endpoints send: JSON that no cache keeps, and stored images."""

from __future__ import annotations

import msgspec
from flask import Response

from webapp.frames import encode
from webapp.store.images import StoredImage

_IMAGE_MAX_AGE_S = 365 * 24 * 3600
_encode_stored = msgspec.json.Encoder(decimal_format="number").encode


def json_response(body: object, status: int = 200) -> Response:
    """Return `body` as JSON that no cache keeps."""
    response = Response(encode(body), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def stored_response(body: object, status: int = 200) -> Response:
    """Return stored values as JSON that no cache keeps; decimals become numbers."""
    response = Response(_encode_stored(body), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def image_response(image: StoredImage) -> Response:
    """Return a stored image, which was checked at upload. No browser may interpret it as another type."""
    response = Response(image.content, mimetype=image.media_type)
    response.headers["Cache-Control"] = f"private, max-age={_IMAGE_MAX_AGE_S}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
