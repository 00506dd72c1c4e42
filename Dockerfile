# The image of Đúng Hạn: the locked packages and the program, nothing that builds, an ordinary user.
# What is done is in docker/build.sh, so that `make image` does the same where there is no engine.
FROM python:3.11.15-slim-bookworm AS build
ENV DUNGHAN_HOME=/opt/dunghan
WORKDIR /src
COPY docker/build.sh requirements.txt ./
RUN sh build.sh packages
COPY pyproject.toml LICENSE ./
COPY schemas schemas
COPY streams streams
COPY agents agents
COPY dashboards dashboards
COPY config config
RUN sh build.sh program

FROM python:3.11.15-slim-bookworm
# What installs packages is not needed any more.
RUN "${PYTHON:-/usr/local/bin/python3}" -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel
ENV DUNGHAN_HOME=/opt/dunghan PATH=/opt/dunghan/bin:/usr/local/bin:/usr/bin:/bin
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LC_ALL=C.UTF-8 HOME=/tmp
ENV DUNGHAN_DATA_DIR=/tmp/dunghan DUNGHAN_WEB_HOST=0.0.0.0 DUNGHAN_WEB_PORT=9464
COPY --from=build /opt/dunghan /opt/dunghan
WORKDIR /opt/dunghan/program
USER 10001:10001
EXPOSE 9464
STOPSIGNAL SIGTERM
# 503 means: do not count on me yet. Nothing is restarted on it; judge reads its state first.
HEALTHCHECK --interval=15s --timeout=5s --start-period=2m --retries=4 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 9464, timeout=4); c.request('GET', '/healthz'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["dunghan"]
CMD ["--help"]
