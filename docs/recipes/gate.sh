#!/bin/sh
# Stops a release that has too few points, or that is slower than the version before. Copy it into your pipeline: docs/gate.md.
#
#   PORTAL      the portal's id in your catalog
#   CANDIDATE   a catalog folder in which the portal has the address of the new version
#   RELEASED    a catalog folder in which it has the address of the released version, which is measured first; or
#   BASELINE    a sweep's folder that an earlier pipeline has kept: nothing but the new version is measured then
#   ASKED       points to ask for, for example "10 average-search=1"; none by default
#   ALLOW       what may be missing, as the lines that stopped a release name it, for example "availability typical/submit/track/track"; nothing by default
#   WORKLOAD    gate by default; both versions must be measured by one workload
#   OUT         the folder for everything, gate by default; it must be new
#
# It ends with 0 where the release passes, with 11 where it does not, and with another code of docs/commands.md where something failed.
set -eu
: "${PORTAL:?is not set: the portal of the catalog}" "${CANDIDATE:?is not set: the catalog folder of the new version}"
[ -n "${BASELINE:-}" ] || : "${RELEASED:?is not set: the catalog folder of the released version, or BASELINE}"
OUT=${OUT:-gate} WORKLOAD=${WORKLOAD:-gate}
mkdir "$OUT"

measure() { # NAME CATALOG [OPTION…]: one version, into $OUT/NAME
    name=$1 catalog=$2
    shift 2
    harness run "$PORTAL" --workload "$WORKLOAD" --catalog "$catalog" --results "$OUT/$name" "$@"
}

sweep_in() { # NAME: the folder of the only sweep there
    for scores in "$OUT/$1"/*/scores.json; do
        [ -f "$scores" ] && dirname "$scores"
    done
}

if [ -z "${BASELINE:-}" ]; then
    measure released "$RELEASED"
    BASELINE=$(sweep_in released)
fi

asked=
for each in ${ASKED:-}; do asked="$asked --fail-under $each"; done
allowed=
for each in ${ALLOW:-}; do allowed="$allowed --allow-missing $each"; done
failed=0
# shellcheck disable=SC2086  # one option, one word
measure candidate "$CANDIDATE" $asked --junit "$OUT/points.xml" || failed=$?

measured=$(sweep_in candidate) || exit "$((failed ? failed : 1))" # it ended before there was a result
compared=0
# shellcheck disable=SC2086
harness compare "$BASELINE" "$measured" --catalog "$CANDIDATE" --fail-on-worse $allowed --junit "$OUT/changes.xml" || compared=$?
exit "$((failed ? failed : compared))"
