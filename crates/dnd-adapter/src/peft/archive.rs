//! PEFT files as a zip archive with a model card.

use std::io::{Cursor, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, ZipWriter};
use serde_json::Value;

use super::{CONFIG_FILE, MODEL_FILE, PeftFiles};
use crate::adapter::Adapter;
use crate::error::Error;

/// File name of the model card.
const README_FILE: &str = "README.md";

/// A zip archive of the two files and a README. The output is deterministic: all time stamps
/// are 1 January 1980, the earliest that zip supports.
pub fn zip(files: &PeftFiles, readme: &str) -> Result<Vec<u8>, Error> {
    // Stored without compression: weights hardly compress.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [
        (MODEL_FILE, files.model.as_slice()),
        (CONFIG_FILE, files.config.as_slice()),
        (README_FILE, readme.as_bytes()),
    ] {
        archive
            .start_file(name, options)
            .and_then(|()| Ok(archive.write_all(bytes)?))
            .map_err(|reason| Error::Zip {
                entry: name.to_owned(),
                reason,
            })?;
    }
    let end = |reason| Error::Zip {
        entry: "central directory".to_owned(),
        reason,
    };
    Ok(archive.finish().map_err(end)?.into_inner())
}

/// A model card that shows how to load and use the adapter. `note` is Markdown about its
/// origin.
pub fn readme(adapter: &Adapter, note: &str) -> String {
    // A JSON string is also a valid YAML and Python string, so any base model name is safe
    // here.
    let base_model = Value::from(adapter.layout.base_model.as_str());
    let targets: Vec<&str> = adapter
        .layout
        .targets()
        .iter()
        .map(|target| target.name())
        .collect();
    format!(
        r#"---
base_model: {base_model}
library_name: peft
tags:
- lora
---

# LoRA adapter

{note}

It was generated from prompts alone, without answers, so check it before you use it: try
questions whose answers you know.

Load it in Python, after `pip install torch peft transformers`:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM
base = AutoModelForCausalLM.from_pretrained({base_model})
model = PeftModel.from_pretrained(base, "path/to/this/folder")
```

Then generate an answer:

```python
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained({base_model})
messages = [{{"role": "user", "content": "What is the opposite of hot?"}}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
output = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))
```

Or without Python, with the command-line tool `dnd`:

```
dnd complete "What is the opposite of hot?" --adapter path/to/this/folder
```

llama.cpp and Ollama load the adapter as a GGUF file, beside their own file of the base model. The
page offers it as a second download; `dnd convert path/to/this/folder --to gguf` makes it from this
folder.

```
llama-cli --model base.gguf --lora adapter.gguf --temp 0 --single-turn \\
    --prompt "What is the opposite of hot?"
```

For Ollama, write a `Modelfile` and run `ollama create my-task`:

```
FROM ./base.gguf
ADAPTER ./adapter.gguf
PARAMETER temperature 0
```

| | |
|---|---|
| layers | {layers} |
| modules | {targets} |
| parameters | {parameters} |
"#,
        note = note.trim(),
        layers = adapter.layout.num_layers(),
        targets = targets.join(", "),
        parameters = adapter.layout.parameter_count(),
    )
}
