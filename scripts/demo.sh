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
troupe() { "$troupe" "$@"; }

# URL of a stage's REST API.
url() { troupe info "$1" --local --json | sed -n 's/.*"rest": *"\([^"]*\)".*/\1/p' | head -n 1; }

# Ask the cloud itself, without troupe: SERVICE PATH, signed by curl. The answer must be WANTED. The
# secret goes to curl by its standard input: every user of the machine sees the arguments.
ask() {
    local answer variables
    variables=$(troupe local env)
    answer=$(
        eval "$variables"
        printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" |
            curl -sS --max-time 30 --config - --aws-sigv4 "aws:amz:us-east-1:$1" "$AWS_ENDPOINT_URL$2"
    )
    printf '$ curl --aws-sigv4 aws:amz:us-east-1:%s %s\n%s\n' "$1" "$2" "$answer"
    case $answer in
    *"$3"*) ;;
    *) echo "error: something is left" >&2; exit 1 ;;
    esac
}

# Call METHOD PATH of a stage; the answer must have the text WANTED in it, within some seconds.
call() {
    local stage=$1 method=$2 path=$3 wanted=$4 address answer='' tries=50
    shift 4
    address=$(url "$stage")$path
    printf '$ curl -X %s %s\n' "$method" "$address"
    while [ $tries -gt 0 ]; do
        answer=$(curl -sS --max-time 30 -X "$method" "$address" "$@") || true
        case $answer in *"$wanted"*) break ;; esac
        tries=$((tries - 1))
        sleep 0.2
    done
    printf '%s\n' "$answer"
    case $answer in
    *"$wanted"*) ;;
    *) echo "error: the answer should have '$wanted' in it" >&2; exit 1 ;;
    esac
}

cp -r "$root/examples/rest-node" "$place/orders"
cd "$place/orders"

tell "1. A service: a REST API with a table, and a worker behind a queue (examples/rest-node)."
run troupe local up

tell "2. Deploy it to two stages. What does not depend on the stage exists once."
run troupe deploy dev --local
run troupe deploy prod --local

tell "3. Both stages answer, each with its own table and queue."
call dev GET / 'Welcome to the shop'
call prod GET / 'Welcome to the shop'
call dev POST /orders '"placed"' -d '{"product": "tea"}'
call dev GET /orders '"packed"'
call prod GET /orders '[]'

tell "4. Deploy again: nothing changed, so nothing is done."
run troupe deploy dev --local

tell "5. Change the code, look at the plan, and deploy dev only."
run sed -i 's/Welcome to the shop/Good evening/' src/greeting.js
run troupe plan dev --local
run troupe deploy dev --local

tell "6. dev has the new code, prod still answers with the old."
call dev GET / 'Good evening'
call prod GET / 'Welcome to the shop'

tell "7. Which stage serves which version, and what happened to dev."
run troupe stages --local
run troupe history dev --local

tell "8. Remove dev: prod does not notice."
run troupe remove dev --yes --local
call prod GET / 'Welcome to the shop'

tell "9. Remove the whole service. Nothing is left."
run troupe remove --service --yes --local
run troupe stages --local
ask lambda /2015-03-31/functions/ '"Functions": []'
ask s3 / '<Buckets />'
