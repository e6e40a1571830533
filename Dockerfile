# One image for every role: order worker, bulk worker, scheduler, migrations, command line.
# The hashed lock is the one that the tests ran with: what was tested is what runs.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /app/.venv
WORKDIR /app
COPY requirements.lock .
RUN .venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY config config
COPY mappings mappings
COPY tasks tasks
COPY provisioning provisioning
RUN .venv/bin/pip install --no-deps --no-build-isolation -e . \
    && .venv/bin/python -m compileall -q .venv config mappings tasks provisioning

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin provisioning \
    && install -d -o provisioning -g provisioning -m 0750 /var/lib/provisioning/checkpoints /sandbox
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER provisioning
CMD ["provisioning", "--help"]
