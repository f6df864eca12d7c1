import { expect, test } from "@jest/globals";
import { dropFault } from "./dropFault.js";
import { DROP_CAUSES } from "./SyncLedger.js";

test("each cause has a code of its own, and a sentence with topic and stamp", () => {
  const faults = DROP_CAUSES.map((cause) =>
    dropFault({ camera: "front", stamp: 12n, cause }, "/front/image"),
  );
  expect(faults.map(({ code }) => code)).toEqual(
    DROP_CAUSES.map((cause) => `dropped-${cause.replaceAll("_", "-")}`),
  );
  expect(faults[1]!.message).toBe(
    "/front/image at 12 ns: the image is dropped, since the cloud that it belongs to had left: raise `sync.max_wait`, or make its driver faster",
  );
});

test("a cloud that is dropped is a lost scan, unless a newer one replaces it", () => {
  const severity = (cause: "bad_stamp" | "superseded"): string =>
    dropFault({ camera: undefined, stamp: 0n, cause }, "/points").severity;
  expect([severity("bad_stamp"), severity("superseded")]).toEqual(["error", "warning"]);
  const told = dropFault({ camera: undefined, stamp: 5n, cause: "reset" }, "/points", "info");
  expect([told.severity, told.place]).toEqual(["info", { topic: "/points", stamp: 5n }]);
});
