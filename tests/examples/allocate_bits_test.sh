#!/bin/sh
# SPDX-License-Identifier: MIT
# What allocate_bits prints and returns: allocate_bits_test.sh PROGRAM
set -u
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# expect CODE LINES OPTIONS...: with a problem on standard input; LINES of the output, milliseconds aside.
expect() {
  code=$1 lines=$2
  shift 2
  cat > "$folder/problem"
  printed=$("$program" "$@" "$folder/problem" 2> "$folder/errors")
  returned=$?
  printed=$(printf '%s\n' "$printed" | grep -v '^milliseconds [0-9.e-]*$')
  [ "$returned" = "$code" ] && [ "$printed" = "$lines" ] && return
  printf 'expected %s and\n%s\nbut it was %s and\n%s\n' "$code" "$lines" "$returned" "$printed"
  failures=$((failures + 1))
}

problem='bitalloc 1
name two layers
layers 2 resources 1
budget 12
layer 1 choices 2 tie -1 fixed -1
4 4 4
8 1 8
layer 2 choices 2 tie -1 fixed -1
4 7 4
8 2 8'

printf '%s\n' "$problem" | expect 0 'status optimal
objective 6
lower_bound 6
nodes 1
bits 4 8'
printf '%s\n' "$problem" | sed 's/budget 12/budget 7/' | expect 2 'status infeasible
nodes 0'
grep -q 'limit 7, least 8' "$folder/errors" || { echo 'no reason why it is infeasible'; failures=$((failures + 1)); }
printf '%s\n' "$problem" | sed 's/budget 12/budget 13/; s/4 4 4/4 4 5/' | expect 3 'status limit_without_solution
lower_bound 6
nodes 0' --nodes 0
printf '%s\n' "$problem" | sed 's/4 7 4/4 7/' | expect 1 ''
grep -q 'line 9' "$folder/errors" || { echo 'no line where the input is malformed'; failures=$((failures + 1)); }
printf '%s\n' "$problem" | expect 0 'status optimal
objective 6
lower_bound 6
nodes 1
bits 4 8' --json "$folder/plan.json"
grep -q '"weight_bits": 8' "$folder/plan.json" || { echo 'no plan as JSON'; failures=$((failures + 1)); }
exit $failures
