// A rclpy node that does what a test says: see test/ros/peer.py.
import { startRclpy } from "./ros.mjs";

export async function startPeer(options) {
  const peer = new RosPeer(startRclpy("peer.py", [], options));
  await peer.ready;
  return peer;
}

class RosPeer {
  #pending = new Map();
  #messages = new Map();
  #changed = new Set();
  #next = 1;
  #read = 0;

  constructor(process) {
    this.process = process;
    this.ready = process.waitFor(/"ready": true/);
    process.onOutput(() => this.#lines());
  }

  #lines() {
    const { stdout } = this.process;
    for (let end; (end = stdout.indexOf("\n", this.#read)) !== -1; this.#read = end + 1) {
      const line = JSON.parse(stdout.slice(this.#read, end));
      if (line.topic !== undefined) {
        this.#of(line.topic).push(line.message);
        for (const check of [...this.#changed]) check();
      }
      const pending = this.#pending.get(line.id);
      this.#pending.delete(line.id);
      if (line.error !== undefined) pending?.reject(new Error(line.error));
      else pending?.resolve(line.result ?? undefined);
    }
    if (!this.process.running) {
      for (const { reject } of this.#pending.values())
        reject(new Error(`the peer ended:\n${this.process.output}`));
      this.#pending.clear();
    }
  }

  #of(topic) {
    if (!this.#messages.has(topic)) this.#messages.set(topic, []);
    return this.#messages.get(topic);
  }

  #do(op, rest) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.process.send(JSON.stringify({ id, op, ...rest }));
      if (!this.process.running) this.#lines();
    });
  }

  call(type, service, request = {}, seconds = 10) {
    return this.#do("call", { type, service, request, seconds });
  }

  advertise(type, topic, qos = {}) {
    return this.#do("advertise", { type, topic, qos });
  }

  publish(type, topic, message, qos = {}) {
    const content =
      message instanceof Uint8Array ? { cdr: Buffer.from(message).toString("base64") } : { message };
    return this.#do("publish", { type, topic, qos, ...content });
  }

  unadvertise(topic) {
    return this.#do("unadvertise", { topic });
  }

  subscribe(type, topic, qos = {}) {
    return this.#do("subscribe", { type, topic, qos, raw: false });
  }

  subscribeRaw(type, topic, qos = {}) {
    return this.#do("subscribe", { type, topic, qos, raw: true });
  }

  unsubscribe(topic) {
    return this.#do("unsubscribe", { topic });
  }

  messages(topic) {
    return this.#of(topic);
  }

  rawMessages(topic) {
    return this.#of(topic).map((text) => new Uint8Array(Buffer.from(text, "base64")));
  }

  waitForMessage(topic, accepts = () => true, seconds = 10) {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#changed.delete(check);
        clearTimeout(limit);
      };
      const check = () => {
        const found = this.#of(topic).find((message) => accepts(message));
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const limit = setTimeout(() => {
        end();
        const last = JSON.stringify(this.#of(topic).at(-1));
        reject(
          new Error(
            `no such message on ${topic} in ${seconds} s; ${this.#of(topic).length} others, last: ${last}`,
          ),
        );
      }, seconds * 1000);
      this.#changed.add(check);
      check();
    });
  }

  counts(topic) {
    return this.#do("counts", { topic });
  }

  graph() {
    return this.#do("graph", {});
  }

  async stop() {
    await this.process.stop("SIGKILL");
  }
}
