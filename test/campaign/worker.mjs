// Runs the cases of one subject, and says before each which one it is, so that a crash or hang has a number.
import { Random } from "./Random.mjs";
import { createSubject } from "./subjects.mjs";

process.on("message", async ({ name, seed, from, to }) => {
  const outcomes = {};
  const subject = await createSubject(name);
  for (let index = from; index < to; index++) {
    process.send({ start: index });
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
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  await subject.close?.();
  process.send({ done: { outcomes, peakRssBytes: process.resourceUsage().maxRSS * 1024 } }, () =>
    process.exit(0),
  );
});
