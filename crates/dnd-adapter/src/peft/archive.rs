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

/// A question for examples where the adapter's own are not known.
pub const QUESTION: &str = "What is the opposite of hot?";
/// Longest question that is shown in an example, in bytes.
const LONGEST_QUESTION: usize = 160;

/// The first of an adapter's prompts, as a question for examples; [`QUESTION`] if it is long or
/// has several lines.
pub fn example_question(prompts: &[String]) -> &str {
    let first = prompts.first().map(|prompt| prompt.trim());
    first
        .filter(|prompt| prompt.len() <= LONGEST_QUESTION && !prompt.contains(char::is_control))
        .unwrap_or(QUESTION)
}

/// A text as one word of a POSIX shell.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Python code that asks the base model with the adapter in the folder `folder`.
pub fn python_example(base_model: &str, folder: &str, question: &str) -> String {
    // A JSON string is also a valid Python string.
    let [base_model, folder, question] = [base_model, folder, question].map(Value::from);
    format!(
        r#"from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained({base_model})
model = PeftModel.from_pretrained(base, {folder})
tokenizer = AutoTokenizer.from_pretrained({base_model})
messages = [{{"role": "user", "content": {question}}}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
output = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))"#
    )
}

/// The command that asks llama.cpp with the adapter.
pub fn llama_example(question: &str) -> String {
    let question = shell_quoted(question);
    format!(
        "llama-cli --model base.gguf --lora adapter.gguf --temp 0 --single-turn \\\n    \
         --prompt {question}"
    )
}

/// A model card that shows how to load the adapter and to ask it `question`. `note` is Markdown
/// about its origin.
pub fn readme(adapter: &Adapter, note: &str, question: &str) -> String {
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

{note} Check it before you use it: try questions whose answers you know.

Ask it in Python, after `pip install torch peft transformers`:

```python
{python}
```

Or without Python, with the command-line tool `dnd`:

```
dnd complete {quoted} --adapter path/to/this/folder
```

llama.cpp and Ollama load the adapter as a GGUF file, beside their own file of the base model:
`dnd convert path/to/this/folder --to gguf` writes `adapter.gguf` into this folder.

```
{llama}
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
        python = python_example(&adapter.layout.base_model, "path/to/this/folder", question),
        quoted = shell_quoted(question),
        llama = llama_example(question),
        layers = adapter.layout.num_layers(),
        targets = targets.join(", "),
        parameters = adapter.layout.parameter_count(),
    )
}
