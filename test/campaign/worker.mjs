// Runs the cases of one subject, and says before each which one it is, so that a crash or hang has a number.
import { Random } from "./Random.mjs";
import { createSubject } from "./subjects.mjs";

process.on("message", async ({ name, seed, from, to }) => {
  const outcomes = {};
  let [slowestMs, slowest] = [0, from];
  const subject = await createSubject(name);
  for (let index = from; index < to; index++) {
    process.send({ start: index });
    // Lets the numbers out, where cases do no waiting of their own.
    if (index % 20 === 0) await new Promise(setImmediate);
    const startedAt = performance.now();
    let outcome;
    try {
      outcome = (await subject.run(Random.of(seed, index), index)) ?? "accepted";
    } catch (error) {
      // Told by its name, not its class: what is thrown may come from another module graph.
      if (error?.name === "Fault" || error?.name === "TransformFault") outcome = error.code;
      else {
        process.send({ failure: { index, text: error?.stack ?? String(error) } });
        outcome = "defect";
      }
    }
    const took = performance.now() - startedAt;
    if (took > slowestMs) [slowestMs, slowest] = [took, index];
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  await subject.close?.();
  process.send(
    { done: { outcomes, slowestMs, slowest, peakRssBytes: process.resourceUsage().maxRSS * 1024 } },
    () => process.exit(0),
  );
});
