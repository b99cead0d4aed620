"""The package as a whole: the cost of its import, and the exit of its process."""

import os
import re
import subprocess
import sys
import textwrap

import parsimony_ml as pm


def run(code):
    """A fresh interpreter; returns what it printed, and fails unless it exits with 0 and a silent stderr."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_importing_loads_no_other_package():
    loaded = run("""
        import sys
        import parsimony_ml
        print({name.partition(".")[0] for name in sys.modules} & {"numpy", "scipy", "sklearn", "torch", "pandas"})
    """)
    assert loaded == "set()\n"


def test_the_interpreter_exits_cleanly_after_use():
    assert (
        run("""
        import numpy as np
        import parsimony_ml as pm
        found = pm.cluster(np.random.default_rng(0).normal(size=(300, 3)), 2, progress=lambda *step: None)
        print(found.n_clusters)
    """)
        == "2\n"
    )


def test_objects_may_be_held_until_the_interpreter_ends():
    assert (
        run("""
        import builtins
        import numpy as np
        import parsimony_ml.quant as quant
        builtins.kept = quant.quantize(np.eye(64, dtype=np.float32))
        print(builtins.kept.decode().shape)
    """)
        == "(64, 64)\n"
    )


def test_every_name_is_there():
    for name in pm.__all__:
        assert getattr(pm, name).__name__ == name
    assert set(pm.__all__) <= set(dir(pm))
    assert pm.__version__.count(".") == 2


def test_submodules_need_no_import_of_their_own():
    assert run("import parsimony_ml as pm; print(pm.quant.compress.__name__, 'torch' in dir(pm))") == "compress True\n"


def test_help_passes_over_submodules_whose_packages_are_missing():
    shown = run("""
        import pydoc
        import sys
        sys.modules["torch"] = sys.modules["sklearn"] = None  # as if they were not installed
        import parsimony_ml as pm
        print(hasattr(pm, "torch"), "choose_n_clusters" in pydoc.render_doc(pm))
        try:
            pm.sklearn
        except AttributeError as error:
            print(error)
    """)
    assert re.match("False True\nparsimony_ml.sklearn: .*sklearn", shown)


def test_the_package_is_the_one_under_test():
    if "PYTHONPATH" in os.environ:
        assert os.environ["PYTHONPATH"].split(os.pathsep)[0] in os.path.dirname(pm.__file__)
