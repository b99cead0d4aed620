#!/bin/sh
# Trains the operator that ships (src/operators/frames/operator-128x64.npy, which is this in float32), as float64:
#   experiments/denoising/shipped_operator.sh PARSIMONY DIRECTORY OUTPUT.npy
#   python3 -c "import numpy as np; np.save('shipped.npy', np.load('OUTPUT.npy').astype('<f4'))"
# the command and the folder of the 17 photographs images/learn; 6 minutes on two cores. Another processor may round
# otherwise, and give an operator that is as good and not the same.
exec "$1" operator learn "$2"/*.png --unrolled --one-energy --filters 128 --flow-steps 15 --sigma 20 --iterations 1000 \
  --seed 0 --output "$3"
