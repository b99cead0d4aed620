#!/usr/bin/env bash
# texts_check.sh DOCS_CHECK: the script refuses each kind of English that CONTRIBUTING.md forbids, and accepts its
# plain form.
set -uo pipefail
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
status=0
check=$1
# expect refused|accepted LINE
expect() {
  echo "$2" >"$folder/line.cpp"
  local found=accepted
  "$check" --english "$folder/line.cpp" >/dev/null 2>&1 || found=refused
  [[ $found == "$1" ]] || { echo "$found: $2" >&2; status=1; }
}
while read -r line; do expect refused "$line"; done <<'LINES'
double weight = 0;  ///< of the penalty
constexpr double kRounding = 1e-12;  // of the squares of float32 signals
// Of the build the commands alone are needed
// What the verbs share.
// The weights do not count: what counts is the edges.
// data wakes who reads from a pipe
// the sample is no node
refuse("a name that is none");
names({"automatic"});
// by every so manieth output
LINES
while read -r line; do expect accepted "$line"; done <<'LINES'
double weight = 0;  ///< weight of the penalty; there is no default
/// of the peak, as the line above says
// What is a frame? A matrix whose rows span the space.
// The sample is no longer than the signal.
refuse("auto is not a number");
// users who read `what is no pattern` in code
LINES
exit "$status"
