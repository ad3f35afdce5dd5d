"""Planted faults in how models are trained, and in what is said of them afterwards."""

from .fault import Fault

_SCAN = "verify/training/scan.py"
_STRINGS = "verify/training/strings.py"
_LOOP = "verify/training/loop.py"
_COURSE = "verify/training/course.py"
_MODELS = "verify/training/models.py"
_STUDY = "verify/training/study.py"

FAULTS = [
    Fault(
        _SCAN,
        '        ddt[1:] += torch.einsum("tbin,in->tbi", dexponent, A)\n',
        "",
        "tests/test_training.py",
        "a step size also moves the gate",
    ),
    Fault(
        _SCAN,
        "dh[t - 1].addcmul_(gates[t], dh[t])",
        "dh[t - 1].addcmul_(gates[t - 1], dh[t])",
        "tests/test_training.py",
        "a state goes through the gate of the step after it",
    ),
    Fault(
        _SCAN,
        "    finally:\n        modeling_mamba.mamba_selective_scan = stock\n",
        "    finally:\n        pass\n",
        "tests/test_training.py",
        "the stock scan is back afterwards: models are checked as stock",
    ),
    Fault(
        _STRINGS,
        "            alive &= chances[:, -1] > 0\n",
        "",
        "tests/test_training.py",
        "a walk ends where nothing is legal",
    ),
    Fault(
        _STRINGS,
        " & (place <= lengths[:, None])[..., None]",
        "",
        "tests/test_training.py",
        "nothing is asked after the end of a string",
    ),
    Fault(
        _STRINGS,
        "list(self.symbols.astype(np.int32))",
        "list(self.symbols)",
        "tests/test_training.py",
        "strings of files and of walks are compared in one format",
    ),
    Fault(
        _LOOP,
        " * (before.detach() < PIVOT)",
        "",
        "tests/test_training.py",
        "noise is put on small step sizes alone",
    ),
    Fault(
        _LOOP,
        "        self._changes.manual_seed((protocol.seed << 32) + self.step)\n",
        "",
        "tests/test_training.py",
        "the noise of a step is its own, so that a training can go on",
    ),
    Fault(
        _LOOP,
        'torch.from_numpy(state[f"{m}.{name}"].copy())',
        'torch.from_numpy(state[f"exp_avg.{name}"].copy())',
        "tests/test_training.py",
        "the moments are those that were saved",
    ),
    Fault(
        _COURSE,
        "record.over or interrupts.pending or",
        "record.over or",
        "tests/test_training.py",
        "an interrupt saves what is done",
    ),
    Fault(
        _COURSE,
        "    if record is not None and not course.fits(record):\n        raise",
        "    if False:\n        raise",
        "tests/test_training.py",
        "a model that was trained otherwise is not gone on with",
    ),
    Fault(
        _MODELS,
        "tensors[name] = tensors[name][tokens]",
        "tensors[name] = tensors[name][: len(tokens)]",
        "tests/test_training.py",
        "tokens of another checkpoint are put in order",
    ),
    Fault(
        _STUDY,
        "    if refuted:\n        verdict = min(",
        "    if refuted and not proved:\n        verdict = min(",
        "tests/test_study.py",
        "a string that was run counts before a proof",
    ),
]
