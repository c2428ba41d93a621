#!/bin/bash
# The story of two stages, told on the local cloud with a copy of examples/rest-node.
#
# Usage: demo.sh TROUPE
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
troupe=${1:?usage: demo.sh TROUPE}

place=$(mktemp -d)
export TROUPE_LOCAL_DIR=$place/local
finish() {
    code=$?
    "$troupe" local down >/dev/null 2>&1 || true
    rm -rf "$place"
    exit $code
}
trap finish EXIT
trap 'exit 130' INT TERM

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi

# A paragraph of the story.
tell() { printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"; }

# Show a command and run it.
run() {
    printf '$ %s\n' "$*"
    "$@"
}
troupe() { "$troupe" "$@" --local; }

# URL of a stage's REST API.
url() { troupe info "$1" --json | sed -n 's/.*"rest": *"\([^"]*\)".*/\1/p' | head -n 1; }

# Call GET PATH of a stage, which must answer with the text WANTED in it.
call() {
    local stage=$1 path=$2 wanted=$3 answer
    printf '$ curl %s\n' "$(url "$stage")$path"
    answer=$(curl -sS --max-time 30 "$(url "$stage")$path")
    printf '%s\n' "$answer"
    case $answer in
    *"$wanted"*) ;;
    *) echo "error: the answer should have '$wanted' in it" >&2; exit 1 ;;
    esac
}
