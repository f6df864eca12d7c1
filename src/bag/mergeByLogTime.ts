import type { BagMessage, BagReader, MessageFilter } from "./types.js";

interface Head {
  readonly message: BagMessage;
  readonly rest: AsyncGenerator<BagMessage, void, void>;
  /** Place in the recording order: decides between equal times. */
  readonly order: number;
}

/**
 * The messages of several bags in one time order. A bag is first read when the time of its first message
 * has come, so that of consecutive splits only one is in memory.
 */
export async function* mergeByLogTime(
  bags: readonly BagReader[],
  filter: MessageFilter,
): AsyncGenerator<BagMessage, void, void> {
  const waiting = bags
    .map((bag, order) => ({ bag, order }))
    .filter(({ bag }) => bag.startTime !== undefined)
    .sort((a, b) => compareTimes(a.bag.startTime!, b.bag.startTime!) || a.order - b.order);
  const heads: Head[] = [];
  try {
    for (;;) {
      let earliest = earliestOf(heads);
      const next = waiting[0];
      if (next !== undefined && (earliest === undefined || next.bag.startTime! <= earliest.message.logTime)) {
        waiting.shift();
        await advance(heads, next.bag.messages(filter), next.order);
        continue;
      }
      earliest = earliestOf(heads);
      if (earliest === undefined) return;
      // Still among the heads, so that it ends with the others when nobody wants more.
      yield earliest.message;
      heads.splice(heads.indexOf(earliest), 1);
      await advance(heads, earliest.rest, earliest.order);
    }
  } finally {
    await Promise.all(heads.map(({ rest }) => rest.return()));
  }
}

async function advance(
  heads: Head[],
  rest: AsyncGenerator<BagMessage, void, void>,
  order: number,
): Promise<void> {
  const next = await rest.next();
  if (next.done !== true) heads.push({ message: next.value, rest, order });
}

function earliestOf(heads: readonly Head[]): Head | undefined {
  return heads.reduce<Head | undefined>((earliest, head) => {
    if (earliest === undefined) return head;
    const order = compareTimes(head.message.logTime, earliest.message.logTime) || head.order - earliest.order;
    return order < 0 ? head : earliest;
  }, undefined);
}

function compareTimes(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
