# Collector and dashboard: one image, `spanwise collector` or `spanwise dashboard`.
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements/uv.txt requirements/compile.txt requirements/server.txt requirements/
# Compiled to bytecode here, since the user who runs it may write nothing there and would compile it at each start.
RUN python -m venv /opt/spanwise \
    && python -m venv /opt/compile \
    && python -m venv /opt/uv \
    && /opt/uv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
    && /opt/uv/bin/uv pip install --no-cache --python /opt/compile/bin/python --require-hashes -r requirements/compile.txt \
    && /opt/uv/bin/uv pip install --no-cache --compile-bytecode --python /opt/spanwise/bin/python --require-hashes -r requirements/server.txt
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY sdk sdk
COPY schemas schemas
COPY evaluators evaluators
COPY collector collector
COPY dashboard dashboard
# The transform as extension modules: docs/decisions/0009-compiled.md.
RUN HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 /opt/compile/bin/python -m hatchling build -t wheel -d /opt/dist \
    && /opt/uv/bin/uv pip install --no-cache --no-deps --compile-bytecode --python /opt/spanwise/bin/python /opt/dist/*.whl

FROM python:3.13-slim
# A volume that is mounted there first belongs to the user, who keeps API keys in it.
RUN useradd --create-home --uid 10001 spanwise && install --directory --owner spanwise --mode 0700 /var/lib/spanwise
COPY --from=build /opt/spanwise /opt/spanwise
ENV PATH=/opt/spanwise/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER spanwise
EXPOSE 4317 4318 8501
# As with `spanwise` anywhere: SIGTERM stores what was read, then stops.
CMD ["spanwise", "--help"]
