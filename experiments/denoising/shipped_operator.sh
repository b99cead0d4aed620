#!/bin/sh
# Learns an operator by the recipe of the one that ships (src/cosparse/models/operator-128x64.npy), as float64:
#   experiments/denoising/shipped_operator.sh PARSIMONY DIRECTORY OUTPUT.npy
# the command and the folder of the 17 photographs images/learn. The file that ships was made before the command could
# do it and its seed is not recorded: this gives another operator (frame bounds 1.40 and 2.54; of the file 1.42 and 2.54),
# not the same bytes. L-BFGS stops at its limit of 250 iterations, which the command reports by its exit code.
set -u
"$1" operator learn "$2"/*.png --rows 128 --samples 34000 --min-deviation 4 --nu 5000 --kappa 60 --mu 2 \
  --stages 1 --batch-size 0 --max-iterations 250 --memory 20 --seed 0 --output "$3"
