# One image for every process of Understudy; the command says which. docker-compose.yml starts them.
FROM python:3.12-slim-bookworm AS install
WORKDIR /opt/understudy
RUN python -m venv .venv && .venv/bin/pip install -q --disable-pip-version-check uv==0.13.9
COPY pyproject.toml requirements.lock README.md ./
# The lock also pins the tools of the tests; only what runs is installed, at the versions of the lock.
RUN .venv/bin/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --generate-hashes --no-header \
       --constraint requirements.lock pyproject.toml -o runtime.lock \
    && .venv/bin/uv pip install -q --python .venv/bin/python --compile-bytecode --require-hashes -r runtime.lock
COPY bot bot
COPY integrations integrations
COPY workers workers
COPY migrations migrations
RUN .venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e .

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --create-home understudy \
    && mkdir -p /var/lib/understudy/data /var/lib/understudy/cache \
    && chown -R understudy /var/lib/understudy
COPY --from=install /opt/understudy /opt/understudy
COPY personas /opt/understudy/personas
WORKDIR /opt/understudy
ENV PATH=/opt/understudy/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    UNDERSTUDY_DATA_DIR=/var/lib/understudy/data \
    UNDERSTUDY_CACHE_DIR=/var/lib/understudy/cache \
    UNDERSTUDY_PERSONAS_DIR=/opt/understudy/personas
USER understudy
ENTRYPOINT ["understudy"]
CMD ["--help"]
