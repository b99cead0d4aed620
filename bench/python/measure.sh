#!/usr/bin/env bash
# Writes the tables of this folder anew: bench/python/measure.sh [imports clusters segments behaviour noise]
#
# After ./dev build, ./dev wheel and ./dev test python (or docs), whose module of build/release and packages it uses. All of them take
# about fifteen minutes of a quiet machine with two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$PWD/build/venv/bin/python
export PYTHONPATH=$PWD/build/release/python
unset PYTHONDONTWRITEBYTECODE
machine="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, Python $("$python" -c 'import platform; print(platform.python_version())'), $(date +%F)"
load() { cut -d' ' -f1 /proc/loadavg; }

# table NAME COMMAND…: the text on standard input, then the machine, then the output of the command.
table() {
  local out=bench/python/$1.md before
  shift
  before=$(load)
  { cat; echo; echo "$machine; load of the machine before it $before."; echo; "$@"; } >"$out.new"
  mv "$out.new" "$out"
  echo "$out: $(load)"
}

imports() {
  table imports "$python" bench/python/imports.py build/wheels/*.whl <<'TEXT'
# The cost of an import

`bench/python/imports.py`: each package in an environment of its own, without the variables of the caller, in fresh interpreters in turn.
"All wheels" are those that pip downloads for it. A first call makes three clusters of 300 points, or finds the communities of as many
nodes. Seconds are medians of wall time; MiB are what an interpreter grows by.
TEXT
}

clusters() {
  table clusters "$python" bench/python/compare.py <<'TEXT'
# Clusters of scikit-learn's example data

`bench/python/compare.py`: the data sets of scikit-learn's comparison of clustering methods, its digits, and documents of ten topics. Cells
are the adjusted Rand index and CPU seconds of all threads, medians of three. Leiden (igraph) finds its own number of clusters on our
graph of nearest neighbours; HDBSCAN leaves points out, which costs it here. "No structure" has one group, so that its index is 0 by definition.
TEXT
}

segments() {
  table segments "$python" bench/python/segmentation.py <<'TEXT'
# Segments of an image

`bench/python/segmentation.py`: 240 × 240 pixels of a photograph in eleven segments, in processes that may take 8 GiB; the least CPU time of
three runs. The graph joins neighbouring pixels by the likeness of their colours. As points, pixels have three colours and two places, and
scikit-learn's default makes an n × n matrix (its issue 8740). MiB are what the call adds to the peak of a process with the packages and the
graph. The normalised cut is that of the graph, which the methods on it make small; "within" is the mean squared distance of the colours to
their segment's mean. `auto` tells meshes from graphs with planted groups by the number of triangles. A grid has none, so it spends its time
on votes for such groups.
TEXT
}

behaviour() {
  table behaviour "$python" bench/python/behaviour.py <<'TEXT'
# Long calls, and checks of the estimators

`bench/python/behaviour.py`. Ctrl-C is promised within .25 s where a core is free for the interpreter.
TEXT
}

noise() {
  table noise_steps "$python" bench/python/noise_steps.py 9 <<'TEXT'
# The time that noise adds to a training step of PyTorch

`bench/python/noise_steps.py 9`, one thread. CPU time of a step with noise divided by that of a step without in the same round: median, and the
middle half of the rounds. The time of noise depends on the weights alone, that of the step on the batch too: with 4,096 tokens a step
of the second network takes four times as long. Products learn their codebooks in the first step.
TEXT
}

(($#)) || set -- imports clusters segments behaviour noise
for part in "$@"; do "$part"; done
