"""Makes a trained flow small enough to come with the library: float32 of 11 bits of mantissa, deflated.

    python3 experiments/denoising/pack_flow.py trained.npz src/images/flow/flow-20.npz
"""

import sys
import zipfile

import numpy as np

STEP = 2.0**-11


def main():
    arrays = dict(np.load(sys.argv[1]))
    if "kind" not in arrays:
        sys.exit(f"{sys.argv[1]}: not a flow")
    with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            if values.dtype == np.float64:
                values = (np.round(values / STEP) * STEP).astype(np.float32)
            member = zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w") as out:
                np.lib.format.write_array(out, np.asarray(values, order="C"), version=(1, 0))


if __name__ == "__main__":
    main()
