// A proxy for `dnd serve` that fails on demand. Playwright's own routes would disable the HTTP
// cache and hide caching bugs.

import http from "node:http";

/** Requests to this path wait until `release()`. */
export const HOLD = "/held-by-the-test";

export class Proxy {
  /** Every request: `{method, path, range, status, sent}`; `sent` counts bytes of the body. */
  log = [];
  #target;
  #server;
  #rules = [];
  #waiting = new Set();
  #held = [];

  static async start(target) {
    const proxy = new Proxy();
    proxy.#target = new URL(target);
    proxy.#server = http.createServer((request, response) => proxy.#serve(request, response));
    await new Promise((done) => proxy.#server.listen(0, "127.0.0.1", done));
    return proxy;
  }

  get address() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  async stop() {
    this.release();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /**
   * Replaces the body of matching paths with `change(bytes, count)`; `count` starts at 1. Returns a
   * function that removes the rule.
   */
  change(pattern, change) {
    return this.#add({ pattern, change, count: 0 });
  }

  /**
   * Sends only `bytes(size, count)` bytes of matching paths, then breaks the connection or, with
   * `hold`, waits for `release()`. Returns a function that removes the rule.
   */
  limit(pattern, bytes, { hold = false } = {}) {
    return this.#add({ pattern, bytes, hold, count: 0 });
  }

  /** Releases all held requests. */
  release() {
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  /** Resolves once a request is being held. */
  held() {
    if (this.#waiting.size > 0) return Promise.resolve();
    return new Promise((done) => this.#held.push(done));
  }

  /** Logged requests whose path matches. */
  requests(pattern) {
    return this.log.filter(({ path }) => pattern.test(path));
  }

  /** Bytes sent for matching paths. */
  sent(pattern) {
    return this.requests(pattern).reduce((sum, { sent }) => sum + sent, 0);
  }

  #add(rule) {
    this.#rules.push(rule);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  #wait() {
    const released = new Promise((go) => this.#waiting.add(go));
    for (const done of this.#held.splice(0)) done();
    return released;
  }

  async #serve(request, response) {
    const { pathname, search } = new URL(request.url, this.#target);
    const path = pathname + search;
    const entry = {
      method: request.method,
      path,
      range: request.headers.range,
      status: 0,
      sent: 0,
    };
    this.log.push(entry);
    if (path === HOLD) {
      await this.#wait();
      response.writeHead(204).end();
      return;
    }
    const rule = this.#rules.find(({ pattern }) => pattern.test(path));
    if (rule) rule.count += 1;
    const headers = { ...request.headers, host: this.#target.host };
    if (rule?.change) {
      // A changed file must always be sent in full.
      for (const name of ["range", "if-range", "if-none-match", "if-modified-since"])
        delete headers[name];
    }
    const options = {
      method: request.method,
      path: request.url,
      headers,
      host: this.#target.hostname,
      port: this.#target.port,
    };
    const upstream = http.request(options, (answer) => {
      this.#forward(answer, response, entry, rule).catch(() => response.destroy());
    });
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }

  async #forward(answer, response, entry, rule) {
    entry.status = answer.statusCode;
    const send = (chunk) => {
      if (response.destroyed) throw new Error("the browser closed the connection");
      entry.sent += chunk.length;
      return new Promise((done, failed) => response.write(chunk, (e) => (e ? failed(e) : done())));
    };
    const headers = { ...answer.headers };
    if (rule?.change) {
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      const body = Buffer.from(rule.change(Buffer.concat(chunks), rule.count));
      for (const name of ["etag", "last-modified"]) delete headers[name];
      response.writeHead(answer.statusCode, { ...headers, "content-length": body.length });
      if (body.length > 0) await send(body);
      response.end();
      return;
    }
    response.writeHead(answer.statusCode, headers);
    response.flushHeaders();
    let left = rule ? rule.bytes(Number(answer.headers["content-length"]), rule.count) : Infinity;
    for await (const chunk of answer) {
      if (chunk.length <= left) {
        await send(chunk);
        left -= chunk.length;
        continue;
      }
      if (left > 0) await send(chunk.subarray(0, left));
      if (rule.hold) {
        await this.#wait();
        await send(chunk.subarray(left));
        left = Infinity;
      } else {
        // Let the sent bytes arrive before the break, or there is nothing to resume.
        await new Promise((done) => setTimeout(done, 500));
        response.destroy();
        return;
      }
    }
    response.end();
  }
}
