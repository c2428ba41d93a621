#!/bin/sh
# Bring the public Signature Version 4 test suite, which botocore's source package contains, into a
# cache and print its folder. Downloaded once, by pip, checked by hash; nothing of it is kept in the
# repository. TROUPE_VECTORS_DIR: the cache, instead of ~/.cache/troupe/vectors.
set -eu

version=1.43.106
sha256=006870b3b4e40547232ad12c3bb4faec91bbbe0659aafaa3b7fa48a112c4ee97
cache=${TROUPE_VECTORS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/troupe/vectors}
suite=$cache/sigv4-$version

if [ ! -d "$suite" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "botocore==$version --hash=sha256:$sha256" >"$work/requirements.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary botocore \
        --require-hashes --dest "$work" -r "$work/requirements.txt" >&2
    tar -xzf "$work/botocore-$version.tar.gz" -C "$work" --wildcards '*/aws4_testsuite/*'
    # Somebody else may have been faster: then theirs stays.
    mv -T "$work/botocore-$version/tests/unit/auth/aws4_testsuite" "$suite" 2>/dev/null ||
        [ -d "$suite" ]
fi
echo "$suite"
