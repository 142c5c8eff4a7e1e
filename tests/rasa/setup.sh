#!/usr/bin/env bash
# setup.sh [TARGET | --find-python]: makes a real Rasa Open Source 3.6.21, without TensorFlow, with the trained assistant of this folder.
#
# TARGET (default: target/rasa of the repository) gets venv/, assistant/ with models/shop.tar.gz, and logs of both steps.
# What is there and was made from the same inputs is used again, so a second run takes no time. Needs Python 3.8 to 3.11
# with venv (PYTHON=… names one) and a package index. --find-python only prints which Python that would be.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 RASA_TELEMETRY_ENABLED=false SQLALCHEMY_SILENCE_UBER_WARNING=1
export PYTHONWARNINGS=ignore
# Rasa's web server holds multidict to a release without wheels for Python 3.11; in pure Python it needs no compiler.
export MULTIDICT_NO_EXTENSIONS=1

usable() {
  "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.11 python3.10 python3.9 python3.8}; do
    if usable "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "no Python 3.8 to 3.11 with venv among: ${PYTHON:-python3 python3.11 python3.10 python3.9 python3.8}" >&2
  echo "Rasa 3.6 runs on no other. Install one (on Debian 12: apt-get install python3 python3-venv) or name one in PYTHON=…" >&2
  return 1
}

digest() { "$python" -c '
import hashlib, pathlib, sys
total = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            total.update(str(file.relative_to(path.parent)).encode() + b"\0" + file.read_bytes() + b"\0")
print(total.hexdigest())' "$@"; }

# step NAME COMMAND…: keeps the output in TARGET/NAME.log and shows its end when the step fails.
step() {
  local name=$1
  shift
  if ! "$@" >"$target/$name.log" 2>&1; then
    echo "rasa: $name failed, the end of $target/$name.log:" >&2
    tail -n 30 "$target/$name.log" >&2
    return 1
  fi
}

# The versions are those of Python 3.10 and 3.11; where an older Python is too old for one, it gets the newest it can run.
pinned() {
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    cat "$here/requirements.txt"
  else
    sed 's/==/<=/' "$here/requirements.txt"
  fi
}

# A command of `step` runs inside an `if`, where `set -e` does not reach: hence the chain of &&.
install() {
  local pip="$target/venv/bin/python -m pip install --quiet"
  "$python" -m venv --clear "$target/venv" &&
    # rasa, sanic and randomname still import pkg_resources, which newer releases of setuptools no longer carry
    $pip setuptools==70.3.0 wheel==0.45.1 &&
    pinned >"$target/requirements.txt" &&
    $pip --no-build-isolation -r "$target/requirements.txt" &&
    $pip --no-deps --ignore-requires-python rasa==3.6.21 rasa-sdk==3.6.2 &&
    local packages &&
    packages=$("$target/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])') &&
    cp "$here/stand_ins.py" "$packages/rasa_stand_ins.py" &&
    echo 'import rasa_stand_ins' >"$packages/rasa_stand_ins.pth"
}

train() (
  rm -rf "$target/assistant" && cp -r "$here/assistant" "$target/assistant" && cd "$target/assistant" &&
    "$target/venv/bin/rasa" train --fixed-model-name shop
)

python=$(find_python)
if [ "${1:-}" = --find-python ]; then
  echo "$python"
  exit
fi
target=${1:-$here/../../target/rasa}
mkdir -p "$target"
target=$(cd "$target" && pwd)
began=$SECONDS
# The place counts: a virtual environment that was moved does not run.
wanted="$target $(digest "$here/requirements.txt" "$here/stand_ins.py" "$here/setup.sh")"
if [ "$(cat "$target/venv.made-from" 2>/dev/null)" != "$wanted" ]; then
  echo "rasa: installing with $("$python" --version) into $target/venv"
  rm -f "$target/venv.made-from" "$target/assistant.made-from"
  step install install
  echo "$wanted" >"$target/venv.made-from"
  echo "rasa: installed in $((SECONDS - began)) s"
fi

began=$SECONDS
wanted=$(digest "$here/assistant")
if [ "$(cat "$target/assistant.made-from" 2>/dev/null)" != "$wanted" ]; then
  echo "rasa: training the assistant"
  rm -f "$target/assistant.made-from"
  step train train
  echo "$wanted" >"$target/assistant.made-from"
  echo "rasa: trained in $((SECONDS - began)) s"
fi
echo "rasa: ready in $target"
