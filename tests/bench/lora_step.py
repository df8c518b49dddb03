#!/usr/bin/env python3
"""Fine-tuning steps of `dnd collect` beside those of transformers and peft.

Makes a model of random weights with the shapes of Qwen2.5-0.5B (494 million parameters, bfloat16)
and a task whose lines have 64 tokens, and runs both on it: tokens a second, peak memory. peft runs
in f32 and in bfloat16. Needs torch, transformers and peft; without them it says so and ends.

    python3 tests/bench/lora_step.py DND FOLDER
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

try:
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM
except ImportError as error:
    print(f"skipped: {error}; `pip install torch transformers peft` provides the peer")
    sys.exit(0)

# https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct/blob/main/config.json
CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_act": "silu",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "max_position_embeddings": 32768,
    "num_attention_heads": 14,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": True,
    "vocab_size": 151936,
}
LINES, LENGTH, ANSWER = 8, 64, 16
# Tokens of a line where activations are most of the memory.
LONG = 512
STEPS = 5
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LETTERS = "abcdefghijklmnopqrstuvwxyz "


def make_model(folder):
    """Random weights, and a tokenizer that makes a token of each letter."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "tokenizer_config.json").exists():
        return
    hidden, feed, layers = 896, 4864, CONFIG["num_hidden_layers"]
    generator = torch.Generator().manual_seed(1)

    def weights(*shape):
        values = torch.randn(shape, generator=generator) * 0.02
        return values.to(torch.bfloat16)

    tensors = {"model.embed_tokens.weight": weights(CONFIG["vocab_size"], hidden)}
    tensors["model.norm.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
    for layer in range(layers):
        name = f"model.layers.{layer}."
        for norm in ["input_layernorm", "post_attention_layernorm"]:
            tensors[f"{name}{norm}.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
        for part, width in [("q", hidden), ("k", 128), ("v", 128)]:
            tensors[f"{name}self_attn.{part}_proj.weight"] = weights(width, hidden)
            tensors[f"{name}self_attn.{part}_proj.bias"] = weights(width)
        tensors[f"{name}self_attn.o_proj.weight"] = weights(hidden, hidden)
        for part in ["gate", "up"]:
            tensors[f"{name}mlp.{part}_proj.weight"] = weights(feed, hidden)
        tensors[f"{name}mlp.down_proj.weight"] = weights(hidden, feed)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG))
    vocabulary = {letter: number for number, letter in enumerate(LETTERS)}
    vocabulary["<end>"] = len(vocabulary)
    special = {"id": len(vocabulary) - 1, "content": "<end>", "special": True}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [special | plain],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False,
        },
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": " "},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    template = "{% for m in messages %}{{ m['content'] }}"
    template += "{% if m['role'] == 'assistant' %}<end>{% endif %}{% endfor %}"
    config = {"chat_template": template, "eos_token": "<end>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def make_task(folder, length):
    """One task; prompt, answer and end of turn are `length` tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    text = LETTERS * length
    lines = []
    for number in range(4 * LINES):
        line = text[number * 5 :][: length - 1].replace(" ", "x")
        prompt, response = line[: length - ANSWER], line[length - ANSWER :]
        lines.append(json.dumps({"prompt": prompt, "response": response}))
    for split in ["train", "test"]:
        (folder / f"letters.{split}.jsonl").write_text("\n".join(lines) + "\n")
    task = {"name": "letters", "family": "letters", "role": "train", "ship": True}
    (folder / "index.json").write_text(json.dumps({"tasks": [task]}))


def of_peft(model_folder, dtype):
    """Tokens a second of peft, without its first step."""
    torch.set_num_threads(2)
    config = AutoConfig.from_pretrained(model_folder)
    dtype = getattr(torch, dtype)
    model = AutoModelForCausalLM.from_pretrained(model_folder, config=config, dtype=dtype)
    lora = LoraConfig(r=8, lora_alpha=16, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = get_peft_model(model, lora)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    ids = torch.randint(0, len(LETTERS), (LINES, LENGTH))
    labels = ids.clone()
    labels[:, : LENGTH - ANSWER] = -100
    for step in range(STEPS + 1):
        if step == 1:
            started = time.monotonic()
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return STEPS * LINES * LENGTH / (time.monotonic() - started)


def measured(command):
    """Output and peak memory in GB of a command, measured in a process of its own."""
    code = (
        "import json,resource,subprocess,sys;"
        "done=subprocess.run(json.loads(sys.argv[1]),capture_output=True,text=True);"
        "memory=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss;"
        "print(json.dumps([done.returncode,done.stdout,done.stderr,memory]))"
    )
    run = [sys.executable, "-c", code, json.dumps(command)]
    run = subprocess.run(run, capture_output=True, text=True, check=True)
    status, output, errors, memory = json.loads(run.stdout)
    if status != 0:
        sys.exit(f"{command}: {errors}")
    return output, memory * 1024 / 1e9


def main():
    if sys.argv[1] == "--peft":
        print(of_peft(sys.argv[2], sys.argv[3]))
        return
    dnd, folder = sys.argv[1], Path(sys.argv[2])
    model = folder / "qwen-shaped"
    make_model(model)
    recompute = folder / "recompute.toml"
    recompute.write_text("[collect.tune]\nrecompute = true\n")

    def of_dnd(dtype, length, *options):
        tasks, out = folder / f"tasks-{length}", folder / "collection"
        make_task(tasks, length)
        subprocess.run(["rm", "-rf", out], check=True)
        command = [dnd, "collect", "--device", "cpu", "--matmul-dtype", dtype]
        command += ["--base", str(model), "--base-model", "random/qwen-shaped"]
        command += ["--tasks", str(tasks), "--out", str(out)]
        steps = STEPS if length == LENGTH else 1
        command += ["--steps", str(steps - 1), "--snapshots", "1", "--batch", str(LINES)]
        _, memory = measured(command + [str(option) for option in options])
        manifest = json.loads((out / "letters" / "manifest.json").read_text())
        return manifest["tokens_per_second"], memory

    again = ["--config", recompute]
    rows = [
        ("dnd, stored", *of_dnd("stored", LENGTH)),
        ("dnd, stored, recomputing", *of_dnd("stored", LENGTH, *again)),
        ("dnd, f32", *of_dnd("f32", LENGTH)),
        (f"dnd, stored, lines of {LONG}", *of_dnd("stored", LONG)),
        (f"dnd, stored, lines of {LONG}, recomputing", *of_dnd("stored", LONG, *again)),
    ]
    for dtype in ["bfloat16", "float32"]:
        output, memory = measured([sys.executable, __file__, "--peft", str(model), dtype])
        rows.append((f"peft, {dtype}", float(output.split()[-1]), memory))
    print("| what | tokens/s | peak memory |\n|---|--:|--:|")
    for name, speed, memory in rows:
        print(f"| {name} | {speed:.0f} | {memory:.1f} GB |")
    best = max(speed for name, speed, _ in rows if name.startswith("peft"))
    print(f"\n`stored` has {rows[0][1] / best:.2f} times the tokens/s of the faster peft run")


if __name__ == "__main__":
    main()
