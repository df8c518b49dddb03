import { createRequire } from "node:module"; const require = createRequire(import.meta.url); const { chromium } = require("playwright-core");
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: "--headless=new --no-sandbox --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader".split(" ") });
const p = await b.newPage(); p.on("console", m => console.log("C", m.text())); p.on("pageerror", e => console.log("E", e)); 
const cdp = await b.newBrowserCDPSession();
p.on("worker", async w => { console.log("worker", w.url()); w.on?.("console", m=>console.log("W", m.text())); });
await p.goto("http://127.0.0.1:8917/?device=cpu"); await p.waitForTimeout(2000);
await p.getByText("Antonyms").click(); await p.getByRole("button", {name:"Generate adapter"}).click();
await p.waitForTimeout(12000); const t = await p.evaluate(() => document.body.innerText); console.log(t.slice(t.indexOf("Generate adapter")));
await b.close();
