# ruff: noqa
"""Train a handful of cells and dump their bits: python bits.py OUT [look]"""

import hashlib
import pickle
import sys

import numpy as np
import torch

torch.set_num_threads(1)
sys.path.insert(0, sys.argv[3])
from bnstudy.data import digits
from bnstudy.training.train import Run, train, train_on
from helpers.trained import training_spec

look = int(sys.argv[2])
kw = {"look": look} if look else {}
I = digits.load()
out = {}


def note(name, r):
    h = hashlib.sha256()
    for a in (r.loss, r.diverged, r.done):
        h.update(np.ascontiguousarray(a).tobytes())
    for c in sorted(r.checkpoints):
        for k in sorted(r.checkpoints[c]):
            h.update(k.encode() + np.ascontiguousarray(r.checkpoints[c][k]).tobytes())
    out[name] = h.hexdigest()[:12]


for opt, best in (("sgd", 0.1), ("adam", 0.01)):
    for arm in ("none", "bn", "once", "bn_noisy", "layernorm", "bn_detached", "bn_post"):
        s = training_spec(arm, depth=3, width=32, batch=32, steps=130, optimizer=opt, targets=(1.2, 0.9))
        runs = [Run(0, 1e6), Run(1, best), Run(2, best / 300), Run(3, best), Run(4, best / 3), Run(1, best / 1000)]
        for keep in ("curve", "end", "levels"):
            note((opt, arm, keep), train(s, runs, I, keep, **kw))
            for b, r in zip((25, 60, 130), train_on(s, runs, I, keep, [25, 60, 130], **kw)):
                note((opt, arm, keep, b), r)
for net in ("cnn", "resnet", "resmlp"):
    for arm in ("none", "bn", "layernorm"):
        s = training_spec(arm, depth=4, width=16, batch=32, steps=110, net=net, targets=(1.2, 0.9))
        for keep in ("curve", "levels"):
            note((net, arm, keep), train(s, [Run(0, 0.1)], I, keep, **kw))
pickle.dump(out, open(sys.argv[1], "wb"))
print(len(out))
