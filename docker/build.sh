#!/bin/sh
# The steps of the image, for the Dockerfile and for bin/image. Run in a folder with what is to be installed;
# DUNGHAN_HOME is where the environment goes (packages and program; it cannot be moved afterwards).
set -eu
: "${DUNGHAN_HOME:?}"
PYTHON="${PYTHON:-python3}"

packages() { # the locked packages, in an environment without pip
    "$PYTHON" -m venv --without-pip "$DUNGHAN_HOME"
    # The same options as in bin/setup: nothing is resolved, nothing is compiled, a changed file is refused.
    "$PYTHON" -m pip --python "$DUNGHAN_HOME/bin/python" install --quiet --disable-pip-version-check --no-input \
        --no-deps --require-hashes --only-binary :all: --requirement requirements.txt
    "$PYTHON" -m pip --python "$DUNGHAN_HOME/bin/python" check --disable-pip-version-check
}

program() { # the program beside them, and the command; read-only for whoever runs it
    mkdir -p "$DUNGHAN_HOME/program"
    cp -R pyproject.toml LICENSE schemas streams agents dashboards config "$DUNGHAN_HOME/program"
    site=$("$DUNGHAN_HOME/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$DUNGHAN_HOME/program" >"$site/dunghan.pth"
    {
        echo "#!$DUNGHAN_HOME/bin/python"
        echo 'from agents.cli.main import main'
        echo 'main()'
    } >"$DUNGHAN_HOME/bin/dunghan"
    chmod 755 "$DUNGHAN_HOME/bin/dunghan"
    # Nothing is written at run time, so what Python would write is written now.
    "$DUNGHAN_HOME/bin/python" -m compileall -q --invalidation-mode unchecked-hash "$site" "$DUNGHAN_HOME/program/schemas" \
        "$DUNGHAN_HOME/program/streams" "$DUNGHAN_HOME/program/agents"
    chmod -R a+rX,go-w "$DUNGHAN_HOME"
}

case "${1:-}" in
    packages | program) "$1" ;;
    *) echo "build.sh packages|program" >&2; exit 2 ;;
esac
