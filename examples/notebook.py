# %% [markdown]
# # From recordings to decisions on an emulated board
#
# Each cell is one step of the road. The data set is computed, so this runs anywhere; with real
# recordings, replace `emg-synthetic` by `emg-3dc` (`edgebio data fetch emg-3dc`).

# %%
from pathlib import Path

import numpy as np

import edgebio

folder = Path("build/notebook")
recordings = edgebio.load_dataset("emg-synthetic", subjects=["1"])
print(f"{len(recordings)} recordings, {recordings[0].samples.shape[1]} channels")

# %% [markdown]
# ## Train
# A recipe names everything that training needs. Here it is shortened to two epochs.

# %%
recipe = edgebio.load_recipe("emg-grips").with_data("emg-synthetic").with_epochs(2)
run = edgebio.train(recipe, recordings, folder / "run")
print(f"float accuracy {run.metrics.accuracy:.3f}")

# %% [markdown]
# ## Quantize and verify
# Every rung of the ladder compares two neighboring stages.

# %%
quantized = edgebio.quantize(run)
print(f"int8 accuracy {quantized.int8_metrics.accuracy:.3f}, {quantized.model}")
for rung in edgebio.verify(quantized, recordings, board="mps2-an386").rungs:
    print(rung.number, rung.name, "holds" if rung.ok else "does not hold")

# %% [markdown]
# ## What it costs, and what it decides

# %%
cost = edgebio.bench(quantized, "mps2-an386")
print(f"{cost.instructions:,} instructions, {cost.flash.total:,} bytes of flash")

samples = np.concatenate([recording.samples for recording in recordings[:3]])
with edgebio.Device.emulate("mps2-an386", quantized.model) as board:
    decisions = list(board.classify(samples))
print(f"{len(decisions)} decisions, the first: {decisions[0]}")
