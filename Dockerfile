# Pinned by tag; this project has no way to learn the digest, so pin that too before production.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/strikeline
WORKDIR /src
COPY requirements.lock ./
RUN /opt/strikeline/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY topics topics
COPY streams streams
COPY sinks sinks
RUN /opt/strikeline/bin/pip install --no-build-isolation --no-deps .

FROM ${PYTHON}
RUN groupadd --system --gid 10001 strikeline \
    && useradd --system --uid 10001 --gid strikeline --no-create-home --home-dir /var/lib/strikeline strikeline \
    && install -d -o strikeline -g strikeline /var/lib/strikeline /var/cache/strikeline
COPY --from=build /opt/strikeline /opt/strikeline
ENV PATH=/opt/strikeline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/var/cache/strikeline \
    XDG_STATE_HOME=/var/lib/strikeline
USER strikeline
WORKDIR /var/lib/strikeline
ENTRYPOINT ["strikeline"]
CMD ["--help"]
