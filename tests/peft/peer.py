#!/usr/bin/env python3
"""Fine-tuning steps with transformers and peft, for crates/dnd-eval/benches/pipeline.rs.

Reads one line of JSON from standard input (`Job` in pipeline.rs), loads the model and prints
`ready`; then runs one step per further line and prints its loss. The caller measures the time.
"""

import json
import os
import sys
import warnings

# Hide progress bars, and deprecation warnings inside transformers.
os.environ.setdefault("TQDM_DISABLE", "1")
warnings.simplefilter("ignore")

from check import load_base  # noqa: E402  (says which package is missing)
import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
IGNORED = -100


def main():
    job = json.loads(sys.stdin.readline())
    settings = job["settings"]
    torch.set_num_threads(job["threads"])
    config = LoraConfig(
        r=job["rank"],
        lora_alpha=job["alpha"],
        target_modules=TARGETS,
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(load_base(job["model"]), config).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings["rate"], weight_decay=settings["weight_decay"]
    )
    # All examples have the same length, so nothing is padded.
    ids = torch.tensor([tokens for tokens, _ in job["examples"]])
    labels = ids.clone()
    for row, (_, answer_start) in zip(labels, job["examples"]):
        row[:answer_start] = IGNORED

    print("ready", flush=True)
    for _ in sys.stdin:
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings["clip"])
        optimizer.step()
        print(loss.item(), flush=True)


if __name__ == "__main__":
    main()
