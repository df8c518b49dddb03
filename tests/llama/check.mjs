// Compares greedy answers of llama.cpp with those of `dnd complete`: the base model with an adapter
// in GGUF, and the model that `dnd merge` made of the two. Exits with 0 if enough of them agree.
//
// node check.mjs NODE_MODULES DND BASE.gguf ADAPTER.gguf MERGED.gguf

import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const [modules, dnd, base, adapter, merged] = process.argv.slice(2);
const entry = join(modules, 'node-llama-cpp', 'dist', 'index.js');
const {getLlama, LlamaCompletion} = await import(pathToFileURL(entry));

const MAX_TOKENS = 24;
// llama.cpp computes products with 8-bit activations, so a close choice can fall the other way.
const LEAST_SHARE = 0.8;
// With more threads than free cores, its threads wait for each other.
const THREADS = 1;

const QUESTIONS = [
    'What is the opposite of hot?', 'What is the capital of Norway?', 'Give the plural of mouse.',
    'Which letter does garden begin with?', 'Pick the fruit: chair, apple, river',
    'What is 12 plus 7?', 'Write the word river in capital letters.', 'Name the antonym of early.',
    'Is this review positive or negative? The soup was cold and the waiter rude.',
    'On which continent is Kenya?',
];

const prompt = question => '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, '
    + 'trained by Hugging Face<|im_end|>\n<|im_start|>user\n' + question
    + '<|im_end|>\n<|im_start|>assistant\n';

const ours = QUESTIONS.map(question => execFileSync(dnd, [
    'complete', question, '--max-tokens', `${MAX_TOKENS}`,
    '--base', base, '--adapter', adapter,
], {encoding: 'utf8'}).trim());

/// Asks llama.cpp; returns whether enough of its answers are those of `dnd complete`.
async function agrees(name, llama, modelPath, adapters) {
    const model = await llama.loadModel({modelPath});
    const context = await model.createContext({
        contextSize: 256, threads: THREADS, lora: {adapters},
    });
    const completion = new LlamaCompletion({contextSequence: context.getSequence()});
    let same = 0;
    for (const [place, question] of QUESTIONS.entries()) {
        const tokens = model.tokenize(prompt(question), true);
        const options = {maxTokens: MAX_TOKENS, temperature: 0};
        const theirs = (await completion.generateCompletion(tokens, options)).trim();
        same += theirs === ours[place];
        if (theirs !== ours[place]) {
            console.log(`${name}: ${question}\n  dnd: ${ours[place]}\n  llama.cpp: ${theirs}`);
        }
    }
    await model.dispose();
    console.log(`${name}: ${same} of ${QUESTIONS.length} answers agree`);
    return same >= LEAST_SHARE * QUESTIONS.length;
}

const llama = await getLlama({gpu: false, build: 'never', skipDownload: true, logLevel: 'error'});
const passed = [
    await agrees('adapter', llama, base, [{filePath: adapter, scale: 1}]),
    await agrees('merged model', llama, merged, []),
];
process.exit(passed.every(Boolean) ? 0 : 1);
