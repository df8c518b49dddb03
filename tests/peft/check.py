#!/usr/bin/env python3
"""Compares the logits of an adapter in peft with those in dnd.

For a few prompts, dnd writes the token ids of the rendered chat and its logits for the next token;
peft gets the same ids. Exits with 0 if they agree, or if the Python packages are missing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import gguf  # noqa: F401  (transformers reads GGUF files through it)
    import torch
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

PROMPTS = [
    "What is the opposite of hot?",
    "Which letter does the word garden end with?",
    "Name three rivers in Africa and say which is the longest.",
]


def cached_model():
    """The base model that dnd uses by default."""
    cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or cache) / "dnd"
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        cache = Path(os.environ["LOCALAPPDATA"]) / "dnd"
    cache = Path(os.environ.get("DND_CACHE") or cache)
    return str(cache / "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf")


def load_base(name):
    """Loads a model from a GGUF file, a folder or the hub, in f32 as in dnd."""
    path, options = Path(name), {}
    if path.suffix == ".gguf":
        name, options = str(path.parent), {"gguf_file": path.name}
    return AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32, **options).eval()


def ask_dnd(dnd, prompt, adapter):
    """Ids of the rendered prompt and logits for the token after it."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "logits.safetensors")
        command = [dnd, "complete", prompt, "--adapter", adapter]
        command += ["--max-tokens", "1", "--logits", file]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        tensors = load_file(file)
    return tensors["ids"].flatten().long(), tensors["logits"].flatten().float()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapter", help="adapter folder in the layout of peft")
    parser.add_argument("--dnd", required=True, help="the dnd program")
    parser.add_argument(
        "--model",
        default=cached_model(),
        help="base model as GGUF file, folder or hub id; must be the one dnd uses "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--tolerance", type=float, default=2e-2, help="maximum difference of a logit"
    )
    arguments = parser.parse_args()

    model = PeftModel.from_pretrained(load_base(arguments.model), arguments.adapter).eval()
    wrong = 0
    for prompt in PROMPTS:
        ids, ours = ask_dnd(arguments.dnd, prompt, arguments.adapter)
        with torch.no_grad():
            theirs = model(ids[None]).logits[0, -1]
            with model.disable_adapter():
                base = model(ids[None]).logits[0, -1]
        difference = (ours - theirs).abs().max().item()
        effect = (theirs - base).abs().max().item()
        # An adapter that changes nothing would agree even if dnd never applied it.
        agrees = difference <= arguments.tolerance < effect
        wrong += not agrees
        print(
            f"{'ok' if agrees else 'WRONG'}: {prompt!r}, {len(ids)} tokens: "
            f"largest difference {difference:.2e} (at most {arguments.tolerance:.0e}), "
            f"effect of the adapter {effect:.2e}"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
