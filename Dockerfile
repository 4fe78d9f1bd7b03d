FROM python:3.11-slim

RUN useradd --create-home --uid 10001 freshet && mkdir /data && chown freshet /data
WORKDIR /app
# What changes seldom comes first, so that it is built once.
COPY requirements.txt .
RUN grep -v '^\.$' requirements.txt > pins.txt && pip install --no-cache-dir -r pins.txt
COPY pyproject.toml README.md LICENSE ./
COPY webapp webapp
COPY static static
COPY templates templates
RUN pip install --no-cache-dir --no-deps .

USER freshet
ENV PORT=8000 FRESHET_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK CMD python -c "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=3)"
CMD ["sh", "-c", "freshet migrate && exec gunicorn -c python:webapp.server 'webapp:create_app()'"]
