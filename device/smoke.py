"""A few steps of everything that a card must do, with times: what fails here fails everywhere."""

import sys
import time
import traceback

sys.path.insert(0, "tests")
import numpy as np
import torch

from bnstudy.data import digits
from bnstudy.training import device
from bnstudy.training.train import Run, train
from helpers.trained import training_spec

print(device.describe(), torch.cuda.get_device_properties(0).total_memory // 2**20, "MiB")
device.settle("cuda", device.describe())
images = digits.load()
failed = 0
for net in ("mlp", "cnn", "resnet"):
    for arm in ("none", "bn", "once", "layernorm", "bn_detached", "bn_post", "bn_noisy"):
        for keep in ("curve", "levels"):
            started = time.monotonic()
            try:
                spec = training_spec(arm, depth=4, width=32, batch=64, steps=60, net=net, targets=(1.2, 0.9))
                runs = [Run(i % 3, r) for i, r in enumerate((0.1, 1e6, 0.03, 0.001))]
                found = train(spec, runs, images, keep, device="cuda")
                wanted = train(spec, runs, images, keep)
                sound = np.flatnonzero(wanted.diverged == 0)
                n = min(len(found.loss), len(wanted.loss))
                error = np.abs(found.loss[:n, sound] - wanted.loss[:n, sound]).max()
                print(
                    f"{net:7} {arm:12} {keep:7} {time.monotonic() - started:6.2f} s, largest difference of a loss {error:.1e}",
                    flush=True,
                )
            except Exception:
                failed += 1
                print(net, arm, keep, "FAILED", flush=True)
                if failed < 4:
                    traceback.print_exc()
sys.exit(bool(failed))
