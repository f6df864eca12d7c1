/**
 * Maps with at most `concurrency` items under way and gives the results in the order of the items. It takes
 * the next item only when the consumer asks for a result, so a slow consumer limits what is read and nothing
 * is dropped. An error of the source or of `project` ends it, after the results of the items before it.
 *
 * The counterpart for recordings of `processNewest`: with a pipeline of two stages that each take one item at a
 * time, a concurrency of 2 prepares item n + 1 while item n is inferred.
 */
export async function* mapInOrder<T, R>(
  source: AsyncIterable<T>,
  project: (item: T) => Promise<R>,
  { concurrency }: { readonly concurrency: number },
): AsyncGenerator<R, void, undefined> {
  const underWay: Promise<R>[] = [];
  const iterator = source[Symbol.asyncIterator]();
  let sourceEnded = false;
  let sourceError: { readonly cause: unknown } | undefined;
  try {
    for (;;) {
      while (!sourceEnded && underWay.length < concurrency) {
        try {
          const next = await iterator.next();
          if (next.done === true) {
            sourceEnded = true;
          } else {
            const result = project(next.value);
            // A rejection is thrown below, in its turn; until then it is not unhandled.
            result.catch(() => undefined);
            underWay.push(result);
          }
        } catch (cause) {
          sourceEnded = true;
          sourceError = { cause };
        }
      }
      const first = underWay.shift();
      if (first === undefined) break;
      yield await first;
    }
    if (sourceError !== undefined) throw sourceError.cause;
  } finally {
    if (!sourceEnded) await iterator.return?.();
  }
}
