# Two stages: the first installs what is pinned and hashed, the second holds only the result.
#
#   podman build --format docker -t huestream .        (docker build does as well)
#
# The base may be replaced by any image with Python 3.11 or later, best by its digest:
#   --build-arg BASE_IMAGE=python:3.11-slim-bookworm@sha256:…
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
# Where TLS is inspected on its way out, name the mounted file of authorities that the tools are to trust.
ARG SSL_CERT_FILE
# What is installed: runtime, or otel to send traces as well.
ARG REQUIREMENTS=runtime
ENV PIP_CERT=${SSL_CERT_FILE} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 \
    UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1
WORKDIR /build
COPY requirements/build.txt requirements/${REQUIREMENTS}.txt ./
RUN python3 -m venv tools && tools/bin/pip install --quiet --require-hashes --requirement build.txt
RUN python3 -m venv --without-pip /opt/venv \
    && tools/bin/uv pip install --quiet --python /opt/venv --require-hashes --requirement ${REQUIREMENTS}.txt \
    && find /opt/venv -type d -name tests -path '*/numpy/*' -prune -exec rm -r {} + \
    && find /opt/venv -name '*.pyi' -delete
COPY pyproject.toml README.md ./
COPY huestream huestream
COPY schemas schemas
COPY services services
RUN tools/bin/pip wheel --quiet --no-build-isolation --no-deps --no-index --wheel-dir wheels . \
    && tools/bin/uv pip install --quiet --python /opt/venv --no-deps --no-index wheels/*.whl \
    && install -d -o 10001 -g 10001 /data/reports /data/state

FROM ${BASE_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="huestream" \
      org.opencontainers.image.description="Classifies the colors of product images, as a stream over Apache Kafka" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/venv /opt/venv
COPY --from=build --chown=10001:10001 /data /var/lib/huestream
ENV PATH=/opt/venv/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HUESTREAM_METRICS_HOST=0.0.0.0 \
    HUESTREAM_METRICS_PORT=9464 \
    HUESTREAM_REPORT_STORE=/var/lib/huestream/reports \
    HUESTREAM_STATE_DIR=/var/lib/huestream/state
WORKDIR /var/lib/huestream
USER 10001:10001
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["huestream", "health"]
ENTRYPOINT ["huestream"]
CMD ["--help"]
