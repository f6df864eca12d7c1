interface Handle {
  destroy(): void;
}

/**
 * What `make` makes of the handles that it passes to `keep`; when it throws, those are destroyed, so that nothing is
 * left of what could not be completed.
 */
export function allOrNone<T>(make: (keep: <H extends Handle>(handle: H) => H) => T): T {
  const kept: Handle[] = [];
  try {
    return make((handle) => {
      kept.push(handle);
      return handle;
    });
  } catch (error) {
    for (const handle of kept) handle.destroy();
    throw error;
  }
}
